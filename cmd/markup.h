/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts for formats that others read: Markdown, CSV, JSON. Pure functions; the caller frees.
 */
#ifndef MLV_CMD_MARKUP_H
#define MLV_CMD_MARKUP_H

#include "core/value.h"

/* A text as a cell of a Markdown table, or within a line: nothing in it is markup, a link, a
 * mention or HTML. */
char *mlv_markdown_text(const char *text);
/* A row of a Markdown table. */
void mlv_markdown_row(GString *out, const char *const *cells, guint count);
/* The line below its head; `align` has a letter a column: 'l' or 'r'. */
void mlv_markdown_rule(GString *out, const char *align);
/* A field of CSV (RFC 4180), quoted where it must be. */
char *mlv_csv_field(const char *text);
/* A row of CSV. */
void mlv_csv_row(GString *out, const char *const *cells, guint count);
/* A text in double quotes as Graphviz has it, and as Mermaid has it. */
char *mlv_dot_text(const char *text);
char *mlv_mermaid_text(const char *text);
/* A value as JSON that every reader takes: NaN and the infinities, which JSON has not, are
 * strings. */
char *mlv_json_value(const MlvValue *value);

#endif
