/* SPDX-License-Identifier: Apache-2.0 */
/* "Did you mean": of some names the one that a mistyped word was likely meant to be. Pure. */
#ifndef MLV_CORE_NEAREST_WORD_H
#define MLV_CORE_NEAREST_WORD_H

#include <glib.h>

/* Of the names (NULL behind the last) the nearest, or NULL if none is near. Borrowed. */
const char *mlv_nearest_word(const char *word, const char *const *names);

#endif
