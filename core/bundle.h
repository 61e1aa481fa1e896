/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bundles: the objects that revisions need in one file, as a stream. mlv-bundle(5) is the format:
 *
 *	header    48 bytes   "MLVBNDL1", length of the manifest u64, SHA-256 of the manifest
 *	manifest             text: what the bundle is about
 *	packs                each: "MLVBPACK", size u64, name[32]; then the pack's bytes
 *	table     48 bytes   "MLVBTABL", packs u64, zero[32]; then for each pack
 *	                     name[32], offset u64, size u64
 *	footer    64 bytes   offset of the table u64, size of the bundle u64, zero u64, "MLVBNDLE",
 *	                     SHA-256 of all bytes before
 *
 * All integers are little-endian. This file writes and reads the container; what goes into it is
 * core/bundle_plan.h's, what comes out of it core/bundle_apply.h's.
 */
#ifndef MLV_CORE_BUNDLE_H
#define MLV_CORE_BUNDLE_H

#include "core/git_rev.h"
#include "storage/pack.h"

#define MLV_BUNDLE_HEADER       48u
#define MLV_BUNDLE_FRAME        48u /* in front of a pack, and of the table */
#define MLV_BUNDLE_ENTRY        48u
#define MLV_BUNDLE_FOOTER       64u
#define MLV_BUNDLE_MANIFEST_MAX (64u << 20)
#define MLV_BUNDLE_PACK_MAX     (128u << 20) /* bytes of one pack in a bundle */

/* --- the manifest ----------------------------------------------------------------------------- */

typedef struct {
	char *name; /* "refs/heads/main" */
	MlvOid commit;
} MlvBundleName;

typedef struct {
	char repo[MLV_REPO_ID_HEX + 1]; /* "" where the repository has none */
	guint64 objects, bytes;         /* of the chunks in the packs; bytes as they are unpacked */
	GArray *prerequisites;          /* of MlvOid: whoever applies it has the data of these */
	GArray *commits;                /* of MlvOid: whose data it brings */
	GArray *names;                  /* of MlvBundleName: refs that led to commits */
	GPtrArray *paths;               /* of char *: only what lies there; none: all */
	GArray *have;                   /* of MlvRef: what the prerequisites have */
	GArray *need;                   /* of MlvRef: complete with what is had and the bundle */
} MlvBundleManifest;

MlvBundleManifest *mlv_bundle_manifest_new(void);
void mlv_bundle_manifest_free(MlvBundleManifest *manifest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvBundleManifest, mlv_bundle_manifest_free)

void mlv_bundle_manifest_add_name(MlvBundleManifest *manifest, const char *name,
				  const MlvOid *commit);

/* The text, in any order and repetition of what was added one byte sequence; not NUL-terminated. */
GBytes *mlv_bundle_manifest_format(const MlvBundleManifest *manifest);
/* Reads what _format made; anything else is MLV_ERROR_CORRUPT, a later version
 * MLV_ERROR_UNSUPPORTED. */
MlvBundleManifest *mlv_bundle_manifest_parse(const char *text, gsize length, const char *label,
					     GError **error);

/* --- writing ---------------------------------------------------------------------------------- */

/* Takes the bundle's bytes as they come. */
typedef gboolean (*MlvBundleSink)(const void *data, gsize length, gpointer user, GError **error);

typedef struct MlvBundleWriter MlvBundleWriter;

/* Writes header and manifest at once. */
MlvBundleWriter *mlv_bundle_writer_new(const MlvBundleManifest *manifest, MlvBundleSink sink,
				       gpointer user, GError **error);
/* Copies a whole pack of `size` bytes from the start of fd. */
gboolean mlv_bundle_writer_pack(MlvBundleWriter *writer, int fd, const MlvId *name, guint64 size,
				GError **error);
/* Writes table and footer. */
gboolean mlv_bundle_writer_finish(MlvBundleWriter *writer, GError **error);
guint64 mlv_bundle_writer_size(const MlvBundleWriter *writer); /* bytes so far */
void mlv_bundle_writer_free(MlvBundleWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvBundleWriter, mlv_bundle_writer_free)

/* --- reading ---------------------------------------------------------------------------------- */

typedef struct MlvBundleReader MlvBundleReader;

/* Reads header and manifest from fd's position on, as a stream; fd is borrowed. */
MlvBundleReader *mlv_bundle_reader_new(int fd, const char *label, GError **error);
const MlvBundleManifest *mlv_bundle_reader_manifest(const MlvBundleReader *reader);

typedef struct {
	MlvId name;
	guint64 size; /* bytes */
} MlvBundlePack;

/* The next pack; *more FALSE after the last: then table, footer, the checksum over the whole
 * and the end of the file have been checked. */
gboolean mlv_bundle_reader_next(MlvBundleReader *reader, MlvBundlePack *pack, gboolean *more,
				GError **error);
/* Copies the pack to out_fd from its start on; its content is not checked. A pack that is not
 * copied is passed over by the next call. */
gboolean mlv_bundle_reader_copy(MlvBundleReader *reader, int out_fd, const char *out_label,
				GError **error);
guint64 mlv_bundle_reader_offset(const MlvBundleReader *reader); /* bytes read so far */
void mlv_bundle_reader_free(MlvBundleReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvBundleReader, mlv_bundle_reader_free)

#endif
