/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The changed lines of two versions of a text: tables, JSON, notes, as far as they are small enough
 * to be read by people. Pure functions of bytes; thread safe.
 */
#ifndef MLV_CORE_TEXTDIFF_H
#define MLV_CORE_TEXTDIFF_H

#include "storage/error.h"

/* Longer files are not compared line by line. */
#define MLV_TEXTDIFF_MAX (4u << 20)

/* Whether the bytes are text that can be shown: at most MLV_TEXTDIFF_MAX of UTF-8 without
 * control characters other than tabs, line ends and form feeds. */
gboolean mlv_textdiff_is_text(GBytes *bytes);

/* The hunks of a unified diff with `context` lines around each, without file header; "" where
 * both are the same. NULL (an absent file) is as an empty one. JSON that stands in one line on
 * both sides is first laid out, one member a line. Both must be text. Caller frees. */
char *mlv_textdiff_format(GBytes *from, GBytes *to, guint context, GError **error);

#endif
