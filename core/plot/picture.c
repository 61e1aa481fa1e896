/* SPDX-License-Identifier: Apache-2.0 */
#include "core/plot/picture.h"

#include <string.h>

gboolean mlv_picture_is_name(const char *path)
{
	static const char *const ends[] = { ".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg" };
	const char *dot = strrchr(path, '.');

	for (gsize i = 0; dot && i < G_N_ELEMENTS(ends); i++)
		if (g_ascii_strcasecmp(dot, ends[i]) == 0)
			return TRUE;
	return FALSE;
}

static guint big16(const guint8 *at)
{
	return (guint)at[0] << 8 | at[1];
}

static guint big32(const guint8 *at)
{
	return (guint)at[0] << 24 | (guint)at[1] << 16 | (guint)at[2] << 8 | at[3];
}

/* The size is in the first frame header: a marker C0 to CF that is none of C4, C8, CC. */
static void measure_jpeg(const guint8 *data, gsize length, MlvPictureInfo *info)
{
	gsize at = 2;

	while (at + 9 < length && data[at] == 0xff) {
		guint8 marker = data[at + 1];

		if (marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 &&
		    marker != 0xcc) {
			info->height = big16(data + at + 5);
			info->width = big16(data + at + 7);
			return;
		}
		at += 2 + (gsize)big16(data + at + 2);
	}
}

/* An XML document whose first element is svg: found in its first bytes. */
static gboolean is_svg(const guint8 *data, gsize length)
{
	g_autofree char *head = g_strndup((const char *)data, MIN(length, 4096));
	const char *at = head;

	if (g_str_has_prefix(at, "\xef\xbb\xbf"))
		at += 3;
	while (g_ascii_isspace(*at))
		at++;
	return *at == '<' && strstr(at, "<svg") != NULL &&
	       g_utf8_validate_len((const char *)data, length, NULL);
}

gboolean mlv_picture_look(const guint8 *data, gsize length, MlvPictureInfo *info)
{
	*info = (MlvPictureInfo){ 0 };
	if (length >= 24 && memcmp(data, "\x89PNG\r\n\x1a\n", 8) == 0) {
		info->type = "image/png";
		info->width = big32(data + 16);
		info->height = big32(data + 20);
	} else if (length >= 4 && memcmp(data, "\xff\xd8\xff", 3) == 0) {
		info->type = "image/jpeg";
		measure_jpeg(data, length, info);
	} else if (length >= 10 &&
		   (memcmp(data, "GIF87a", 6) == 0 || memcmp(data, "GIF89a", 6) == 0)) {
		info->type = "image/gif";
		info->width = (guint)data[7] << 8 | data[6];
		info->height = (guint)data[9] << 8 | data[8];
	} else if (length >= 12 && memcmp(data, "RIFF", 4) == 0 &&
		   memcmp(data + 8, "WEBP", 4) == 0) {
		info->type = "image/webp";
	} else if (length > 0 && is_svg(data, length)) {
		info->type = "image/svg+xml";
	}
	return info->type != NULL;
}

void mlv_picture_append_uri(GString *out, const MlvPictureInfo *info, const guint8 *data,
			    gsize length)
{
	g_autofree char *text = g_base64_encode(data, length);

	g_string_append_printf(out, "data:%s;base64,%s", info->type, text);
}
