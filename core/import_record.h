/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where imported data came from: a small text file beside the pointer, `data/x.csv.mlv-import` for
 * `data/x.csv`, that git tracks as well. mlv-import-record(5) is the format.
 *
 *	mlv import 1
 *	etag "5d8c72a5edda8d6a"
 *	id sha256:<64 hex>
 *	modified 1700000000.000000000
 *	size 1234
 *	url https://example.org/x.csv
 *
 * The pointer says what the data are; this says what was fetched, from where, and what the source
 * said of it, so that it can be asked whether it has changed since. One byte sequence per value.
 */
#ifndef MLV_CORE_IMPORT_RECORD_H
#define MLV_CORE_IMPORT_RECORD_H

#include "core/repo.h"
#include "storage/id.h"

#define MLV_IMPORT_RECORD_MAX    4096 /* bytes */
#define MLV_IMPORT_RECORD_SUFFIX ".mlv-import"
/* Bytes of the last part of a path that can have one: 255 with the suffix. */
#define MLV_IMPORT_NAME_MAX 244
#define MLV_IMPORT_ETAG_MAX 256

/* What a source says of a version of its data. */
typedef struct {
	char *etag;      /* owned; NULL: it says none */
	gint64 modified; /* nanoseconds since 1970; 0: it does not say */
	guint64 size;    /* bytes */
} MlvImportStamp;

typedef struct {
	char *url; /* owned */
	MlvId id;  /* of what was fetched, as the pointer had it then */
	MlvImportStamp stamp;
} MlvImportRecord;

void mlv_import_stamp_clear(MlvImportStamp *stamp);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MlvImportStamp, mlv_import_stamp_clear)
void mlv_import_record_clear(MlvImportRecord *record);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MlvImportRecord, mlv_import_record_clear)

/* "data/x" -> "data/x.mlv-import". Caller frees. */
char *mlv_import_record_path(const char *data_path);
/* The text. An ETag that cannot stand in a line is left out. */
GBytes *mlv_import_record_format(const MlvImportRecord *record);
/* Reads what mlv_import_record_format made; anything else is MLV_ERROR_CORRUPT, another version
 * MLV_ERROR_UNSUPPORTED. `label` is what messages call it. Clear the record. */
gboolean mlv_import_record_parse(const char *text, gsize length, const char *label,
				 MlvImportRecord *record, GError **error);
/* The one of data in the work tree; absent is *found FALSE. Clear the record if it was found. */
gboolean mlv_import_record_read(const MlvRepo *repo, const char *data_path, MlvImportRecord *record,
				gboolean *found, GError **error);

/* Whether an address can be recorded: http(s), s3, file, or a path; and nothing in it that git
 * should not keep (a login, a signature, a token): MLV_ERROR_USAGE says so without repeating it. */
gboolean mlv_import_url_check(const char *url, GError **error);

#endif
