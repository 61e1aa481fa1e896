/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/id.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

void mlv_id_hmac(const void *key, gsize key_length, const void *data, gsize length, MlvId *mac)
{
	g_assert(key_length <= G_MAXINT);
	if (!HMAC(EVP_sha256(), key, (int)key_length, data, length, mac->b, NULL))
		g_error("HMAC-SHA256 failed");
}

/* GLib's, since OpenSSL has no MD5 where the system allows approved algorithms only. */
char *mlv_md5_base64(const void *data, gsize length)
{
	g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_MD5);
	guint8 digest[16];
	gsize size = sizeof(digest);

	g_assert(length <= G_MAXSSIZE);
	g_checksum_update(checksum, data, (gssize)length);
	g_checksum_get_digest(checksum, digest, &size);
	return g_base64_encode(digest, size);
}
