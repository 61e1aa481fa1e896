/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/id.h"

#include <openssl/evp.h>
#include <string.h>
#include <sys/random.h>

struct MlvHash {
	EVP_MD_CTX *context;
};

/* Fetching the algorithm costs more than hashing a small file, so it is done once. */
static const EVP_MD *sha256(void)
{
	static gsize md;

	if (g_once_init_enter(&md)) {
		EVP_MD *fetched = EVP_MD_fetch(NULL, "SHA256", NULL);
		if (!fetched)
			g_error("OpenSSL has no SHA-256");
		g_once_init_leave(&md, (gsize)fetched);
	}
	return (const EVP_MD *)md;
}

static void free_context(gpointer context)
{
	EVP_MD_CTX_free(context);
}

/* A context a thread, reused. */
static EVP_MD_CTX *thread_context(void)
{
	static GPrivate slot = G_PRIVATE_INIT(free_context);
	EVP_MD_CTX *context = g_private_get(&slot);

	if (!context) {
		context = EVP_MD_CTX_new();
		if (!context)
			g_error("cannot allocate a digest context");
		g_private_set(&slot, context);
	}
	return context;
}

void mlv_id_of(const void *data, gsize length, MlvId *id)
{
	EVP_MD_CTX *context = thread_context();

	if (!EVP_DigestInit_ex(context, sha256(), NULL) ||
	    !EVP_DigestUpdate(context, data, length) || !EVP_DigestFinal_ex(context, id->b, NULL))
		g_error("SHA-256 failed");
}

MlvHash *mlv_hash_new(void)
{
	MlvHash *hash = g_new0(MlvHash, 1);

	hash->context = EVP_MD_CTX_new();
	if (!hash->context || !EVP_DigestInit_ex(hash->context, sha256(), NULL))
		g_error("SHA-256 failed");
	return hash;
}

void mlv_hash_update(MlvHash *hash, const void *data, gsize length)
{
	if (!EVP_DigestUpdate(hash->context, data, length))
		g_error("SHA-256 failed");
}

void mlv_hash_finish(MlvHash *hash, MlvId *id)
{
	if (!EVP_DigestFinal_ex(hash->context, id->b, NULL) ||
	    !EVP_DigestInit_ex(hash->context, sha256(), NULL))
		g_error("SHA-256 failed");
}

void mlv_hash_free(MlvHash *hash)
{
	if (!hash)
		return;
	EVP_MD_CTX_free(hash->context);
	g_free(hash);
}

gboolean mlv_ref_equal(const MlvRef *a, const MlvRef *b)
{
	return a->kind == b->kind && a->depth == b->depth && a->size == b->size &&
	       mlv_id_equal(&a->id, &b->id);
}

int mlv_id_compare(const MlvId *a, const MlvId *b)
{
	return memcmp(a->b, b->b, MLV_ID_SIZE);
}

gboolean mlv_id_equal(const MlvId *a, const MlvId *b)
{
	return memcmp(a->b, b->b, MLV_ID_SIZE) == 0;
}

guint mlv_id_hash(gconstpointer id)
{
	guint hash;

	memcpy(&hash, id, sizeof(hash));
	return hash;
}

gboolean mlv_id_equal_key(gconstpointer a, gconstpointer b)
{
	return mlv_id_equal(a, b);
}

void mlv_id_format(const MlvId *id, char hex[MLV_ID_HEX + 1])
{
	static const char digits[] = "0123456789abcdef";

	for (int i = 0; i < MLV_ID_SIZE; i++) {
		hex[2 * i] = digits[id->b[i] >> 4];
		hex[2 * i + 1] = digits[id->b[i] & 15];
	}
	hex[MLV_ID_HEX] = '\0';
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

gboolean mlv_id_parse(const char *hex, MlvId *id)
{
	for (int i = 0; i < MLV_ID_SIZE; i++) {
		int high = digit_value(hex[2 * i]);
		int low = high < 0 ? -1 : digit_value(hex[2 * i + 1]);

		if (low < 0)
			return FALSE;
		id->b[i] = (guint8)(high << 4 | low);
	}
	return hex[MLV_ID_HEX] == '\0';
}

void mlv_random_bytes(void *data, gsize length)
{
	guint8 *at = data;

	while (length > 0) {
		ssize_t n = getrandom(at, MIN(length, 256), 0);

		if (n <= 0)
			g_error("the system gives no random bytes");
		at += n;
		length -= (gsize)n;
	}
}
