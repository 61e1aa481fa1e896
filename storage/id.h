/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Identities: SHA-256 of bytes, and references to what is stored; and what else is computed with
 * digests. Home of OpenSSL.
 *
 *	MlvId id;
 *	mlv_id_of(data, length, &id);
 *	char hex[MLV_ID_HEX + 1];
 *	mlv_id_format(&id, hex);
 *
 * All functions are thread safe.
 */
#ifndef MLV_STORAGE_ID_H
#define MLV_STORAGE_ID_H

#include <glib.h>

#define MLV_ID_SIZE 32
#define MLV_ID_HEX  64

/* A SHA-256 digest, in the order in which `sha256sum` prints it. */
typedef struct {
	guint8 b[MLV_ID_SIZE];
} MlvId;

/* What a stored chunk is. A file's chunk is a blob even if it holds the bytes of a list, so
 * look-ups and marks always go by (kind, id). Values are part of format v1. */
typedef enum {
	MLV_KIND_BLOB = 1,
	MLV_KIND_LIST = 2,
	MLV_KIND_TREE = 3,
} MlvKind;

#define MLV_REF_MAX_DEPTH 8

/* A reference to a file's content (kind BLOB) or a directory (kind TREE). With depth 0, `id`
 * names one chunk of that kind; with depth n, a LIST chunk under which the leaves lie n levels
 * down. `size` counts the leaves' raw bytes in total: a file's length; for a tree the length of
 * its encoding. */
typedef struct {
	MlvId id;
	guint64 size;
	guint8 kind;
	guint8 depth;
} MlvRef;

/* The kind of the chunk that ref->id names. */
static inline MlvKind mlv_ref_chunk_kind(const MlvRef *ref)
{
	return ref->depth > 0 ? MLV_KIND_LIST : (MlvKind)ref->kind;
}

gboolean mlv_ref_equal(const MlvRef *a, const MlvRef *b);

/* SHA-256 of `length` bytes. */
void mlv_id_of(const void *data, gsize length, MlvId *id);

int mlv_id_compare(const MlvId *a, const MlvId *b);
gboolean mlv_id_equal(const MlvId *a, const MlvId *b);
/* For GHashTable keys of type MlvId: a hash, and mlv_id_equal cast to GEqualFunc. */
guint mlv_id_hash(gconstpointer id);
gboolean mlv_id_equal_key(gconstpointer a, gconstpointer b);

/* 64 lower-case hex digits and a NUL. */
void mlv_id_format(const MlvId *id, char hex[MLV_ID_HEX + 1]);
/* Exactly 64 lower-case hex digits (no prefix, nothing behind) or FALSE. */
gboolean mlv_id_parse(const char *hex, MlvId *id);

/* A digest over a stream of bytes. */
typedef struct MlvHash MlvHash;
MlvHash *mlv_hash_new(void);
void mlv_hash_update(MlvHash *hash, const void *data, gsize length);
/* Gives the digest and makes `hash` ready for the next stream. */
void mlv_hash_finish(MlvHash *hash, MlvId *id);
void mlv_hash_free(MlvHash *hash);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvHash, mlv_hash_free)

/* HMAC-SHA256 (RFC 2104) of `length` bytes under a key of `key_length` bytes. */
void mlv_id_hmac(const void *key, gsize key_length, const void *data, gsize length, MlvId *mac);

/* MD5 in base64, as the headers of S3 want it (Content-MD5, SSE-C); it protects nothing. Free with
 * g_free. */
char *mlv_md5_base64(const void *data, gsize length);

/* Fills `data` with unpredictable bytes (salts, clone ids). Aborts if the system has none. */
void mlv_random_bytes(void *data, gsize length);

#endif
