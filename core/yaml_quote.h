/* SPDX-License-Identifier: Apache-2.0 */
/* What stands between quotes in YAML. libfyaml 0.7 loses bytes where pairs of single quotes
 * follow one another, and where an escaped line end follows another escape. Pure. */
#ifndef MLV_CORE_YAML_QUOTE_H
#define MLV_CORE_YAML_QUOTE_H

#include <glib.h>

/* Of the bytes between single quotes: two quotes are one, line ends are folded. Caller frees;
 * *length becomes that of the text. */
char *mlv_yaml_unquote_single(const char *raw, gsize *length);
/* The same between double quotes, where a backslash escapes; NULL for an escape that YAML has
 * not, or that is no character. */
char *mlv_yaml_unquote_double(const char *raw, gsize *length);

#endif
