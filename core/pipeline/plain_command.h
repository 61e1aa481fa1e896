/* SPDX-License-Identifier: Apache-2.0 */
/* Telling commands that mean the same to every shell. Pure. */
#ifndef MLV_CORE_PIPELINE_PLAIN_COMMAND_H
#define MLV_CORE_PIPELINE_PLAIN_COMMAND_H

#include <glib.h>

/* Whether bash and a plain sh do the same with a command: words without quotes, variables or
 * patterns, joined by '>', '>>', '<', '|', '&&', '||' and ';', none of them the name of something
 * that a shell has built in and another has not or otherwise. What is not sure is not plain. */
gboolean mlv_command_is_plain(const char *command);
/* Whether the environment has what makes bash another than it is: BASH_ENV, exported functions. */
gboolean mlv_environ_is_plain(const char *const *environ);

#endif
