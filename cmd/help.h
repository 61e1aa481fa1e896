/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Manual pages, opened from where this program lies or through man(1)'s own path.
 */
#ifndef MLV_CMD_HELP_H
#define MLV_CMD_HELP_H

#include <glib.h>

/* Shows the page ("mlv-add", "mlv-pointer") through man(1). FALSE where there is no such page or
 * no man(1). */
gboolean mlv_help_open(const char *page);

#endif
