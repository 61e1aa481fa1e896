/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packs: chunks one behind the other, then a table of them, then a footer. Written as a stream,
 * immutable ever after. mlv-pack(5) is the format:
 *
 *	header   32 bytes   "MLVPACK1", class, zero
 *	payload             each chunk's stored bytes; zero padding before an aligned run
 *	table    32 bytes   random salt, then 48 bytes a chunk in order of offset
 *	footer   64 bytes   table offset u64, count u32, class u32, SHA-256 of header and table
 *	                    (which is the pack's name), first 8 bytes of the SHA-256 of the footer
 *	                    so far, "MLVPACKE"
 *
 * All integers are little-endian. A table entry: id[32], offset u32, stored u32 (low 24 bits
 * length, high 8 codec), raw u32 (low 24 bits length, high 8 kind), check u32 (first 4 bytes of the
 * SHA-256 of the stored bytes; for a raw chunk those of its id). Offsets ascend, entries do not
 * overlap, gaps are zero and shorter than the largest block that any file system clones by (64
 * KiB). A class holds only its kinds.
 *
 *	g_autoptr(MlvPackWriter) writer = mlv_pack_writer_new(fd, MLV_CLASS_DATA, label);
 *	mlv_pack_writer_add(writer, &chunk, 1, error) ...
 *	mlv_pack_writer_finish(writer, &name, error)        (the caller syncs and publishes)
 */
#ifndef MLV_STORAGE_PACK_H
#define MLV_STORAGE_PACK_H

#include "storage/codec.h"
#include "storage/id.h"

/* Data holds blobs; metadata (lists and trees) lies apart, so that names are read without data. */
typedef enum {
	MLV_CLASS_DATA = 1,
	MLV_CLASS_META = 2,
} MlvClass;

static inline MlvClass mlv_class_of(MlvKind kind)
{
	return kind == MLV_KIND_BLOB ? MLV_CLASS_DATA : MLV_CLASS_META;
}

#define MLV_PACK_TARGET      (64u << 20) /* bytes at which a writer should begin the next pack */
#define MLV_PACK_MAX         0xf0000000u /* bytes that a pack never exceeds */
#define MLV_PACK_HEADER      32u
#define MLV_PACK_SALT        32u
#define MLV_PACK_ENTRY       48u
#define MLV_PACK_FOOTER      64u
#define MLV_CHUNK_LIMIT      ((256u << 10) + 1024) /* no stored chunk of any kind is longer, raw */
#define MLV_PACK_NAME_LENGTH (6 + 3 + MLV_ID_HEX + 5) /* "packs/ab/<64 hex>.pack" */

/* One chunk's place in a pack. */
typedef struct {
	MlvId id;
	guint32 offset; /* bytes from the pack's start */
	guint32 stored; /* bytes in the pack */
	guint32 raw;    /* bytes of the chunk itself */
	guint32 check;  /* first 4 bytes (little-endian) of the SHA-256 of the stored bytes */
	guint8 kind;    /* MlvKind */
	guint8 codec;   /* MlvCodec */
} MlvPackEntry;

/* "packs/ab/abcdef....pack" of a pack's name. */
void mlv_pack_path(const MlvId *name, char path[MLV_PACK_NAME_LENGTH + 1]);
/* The name of such a path, or FALSE. */
gboolean mlv_pack_parse_path(const char *path, MlvId *name);

/* The 48 bytes of an entry, both ways. parse checks kind, codec, lengths and class, not
 * neighbours. */
void mlv_pack_entry_format(const MlvPackEntry *entry, guint8 out[MLV_PACK_ENTRY]);
gboolean mlv_pack_entry_parse(const guint8 in[MLV_PACK_ENTRY], MlvClass pack_class,
			      MlvPackEntry *entry, GError **error);

/* The `check` of an entry whose id, codec and stored length are set; `stored` are its stored
 * bytes. */
guint32 mlv_pack_check_value(const MlvPackEntry *entry, const guint8 *stored);

typedef struct MlvPackWriter MlvPackWriter;

/* Writes to fd from its start (fd stays the caller's). The header is written at once or at the
 * first chunk. `label` names the file in messages. */
MlvPackWriter *mlv_pack_writer_new(int fd, MlvClass pack_class, const char *label);

/* Appends `count` chunks whose stored bytes lie one behind the other in `data`: entry[i].stored
 * bytes each. id, stored, raw, check, kind and codec of each entry are the caller's; offset is set
 * here. One write. */
gboolean mlv_pack_writer_add(MlvPackWriter *writer, const guint8 *data, MlvPackEntry *entries,
			     gsize count, GError **error);

/* The same without writing: the caller writes the entries' bytes at *offset, in any thread, before
 * the pack is synced. Nothing is written out early. */
gboolean mlv_pack_writer_reserve(MlvPackWriter *writer, MlvPackEntry *entries, gsize count,
				 guint64 *offset, GError **error);

/* As mlv_pack_writer_add, for raw chunks that lie one behind the other in `source` from
 * `source_offset` on, on a file system that clones by `block` bytes: pads so that pack offset and
 * file offset are congruent, clones whole blocks, and writes the edges from `data` (all of the
 * run's bytes). Where cloning fails it writes. */
gboolean mlv_pack_writer_clone(MlvPackWriter *writer, int source, guint64 source_offset,
			       gsize block, const guint8 *data, MlvPackEntry *entries, gsize count,
			       GError **error);

/* For golden files: a salt that is not random. Before finish. */
void mlv_pack_writer_set_salt(MlvPackWriter *writer, const guint8 salt[MLV_PACK_SALT]);
/* Whether writing out begins in the background as the pack grows (the default): right where the
 * pack is synced in the end, wasted where it is not. */
void mlv_pack_writer_set_writeout(MlvPackWriter *writer, gboolean writeout);

guint64 mlv_pack_writer_size(const MlvPackWriter *writer); /* bytes so far, header included */
gsize mlv_pack_writer_count(const MlvPackWriter *writer);
/* The entries so far, borrowed until the next call. */
const MlvPackEntry *mlv_pack_writer_entries(const MlvPackWriter *writer);

/* Writes table and footer; gives the name. Nothing may be added after. Does not sync. */
gboolean mlv_pack_writer_finish(MlvPackWriter *writer, MlvId *name, GError **error);
void mlv_pack_writer_free(MlvPackWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvPackWriter, mlv_pack_writer_free)

/* A pack's table, read back and checked: footer, name, checksum, order, bounds, class. */
typedef struct {
	MlvId name;
	MlvClass pack_class;
	guint64 size; /* bytes of the whole pack */
	gsize count;
	MlvPackEntry *entries; /* in order of offset */
} MlvPackTable;

/* Reads the table of the pack in fd. `expected` (may be NULL) is the name that it must have. */
MlvPackTable *mlv_pack_table_read(int fd, const MlvId *expected, const char *label, GError **error);
/* The same from the pack's tail in memory: `tail` holds the last bytes of a pack of `size` bytes,
 * and `header` its first MLV_PACK_HEADER bytes. If the tail is too short *need is set to how many
 * bytes it must have, and FALSE (NULL) is returned with MLV_ERROR_FAILED. For reading over a
 * network. */
MlvPackTable *mlv_pack_table_parse(const guint8 *header, const guint8 *tail, gsize tail_length,
				   guint64 size, const MlvId *expected, const char *label,
				   gsize *need, GError **error);
void mlv_pack_table_free(MlvPackTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MlvPackTable, mlv_pack_table_free)

/* Turns stored bytes into the chunk: decodes into `out` (entry->raw bytes) and checks its id. A raw
 * chunk may be decoded in place (stored == out). Damage is MLV_ERROR_CORRUPT and names the object
 * and the pack. */
gboolean mlv_pack_decode(const MlvPackEntry *entry, const guint8 *stored, guint8 *out,
			 const char *label, GError **error);

/* Every byte: header, each chunk's stored and raw bytes, zero padding, table, footer. Calls `fault`
 * for each damaged chunk (entry given) or other damage (entry NULL) and goes on; FALSE only if the
 * pack cannot be read at all or `fault` returns FALSE. Runs in the calling thread. */
typedef gboolean (*MlvPackFault)(const MlvPackEntry *entry, const GError *why, gpointer user);
gboolean mlv_pack_check(int fd, const MlvId *expected, const char *label, MlvPackFault fault,
			gpointer user, GError **error);

#endif
