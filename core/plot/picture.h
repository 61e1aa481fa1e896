/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pictures that stages make: PNG, JPEG, GIF, WebP, SVG. They are embedded as they are; only their
 * kind and size are looked at. Pure functions.
 */
#ifndef MLV_CORE_PLOT_PICTURE_H
#define MLV_CORE_PLOT_PICTURE_H

#include "storage/error.h"

#define MLV_PICTURE_MAX (16u << 20) /* bytes of one */

/* Whether a file of this name is a picture. */
gboolean mlv_picture_is_name(const char *path);

typedef struct {
	const char *type;    /* "image/png"; static */
	guint width, height; /* in pixels; 0: not known */
} MlvPictureInfo;

/* What the bytes are; FALSE if they are no picture. */
gboolean mlv_picture_look(const guint8 *data, gsize length, MlvPictureInfo *info);
/* Appends "data:image/png;base64,...". */
void mlv_picture_append_uri(GString *out, const MlvPictureInfo *info, const guint8 *data,
			    gsize length);

#endif
