/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of live/ that lies beside what it lists, for readers over plain HTTP: a web server
 * cannot list. mlv-store(5) has the format, and says why a list that is out of date does no harm.
 *
 *	mlv list 1
 *	live/i-<64 hex> 1234 1700000000        name, bytes, unix seconds; sorted by name
 *	sha256 <64 hex>                        of all bytes before this line
 *
 * It is the one file of a remote that is replaced. While it is there whoever changes live/ writes
 * it anew: before anything that it may name is deleted, and when all is done.
 */
#ifndef MLV_STORAGE_PUBLISHED_H
#define MLV_STORAGE_PUBLISHED_H

#include "storage/remote.h"

#define MLV_PUBLISHED_PREFIX "live/"
#define MLV_PUBLISHED_NAME   "live/list"
#define MLV_PUBLISHED_MAX    (64 * 1024 * 1024) /* bytes */

/* The text for a listing (of MlvListed, sorted): of names in live/ that are indexes or roots;
 * others are left out. */
GBytes *mlv_published_format(const GArray *listed);
/* Reads it: an array of MlvListed, sorted. Anything that mlv_published_format would not write is
 * MLV_ERROR_CORRUPT; another version MLV_ERROR_UNSUPPORTED. `label` is what messages call the
 * place. */
GArray *mlv_published_parse(GBytes *bytes, const char *label, GError **error);

typedef enum {
	MLV_PUBLISHED_NOT,
	MLV_PUBLISHED_STALE, /* by its length or age it is not of the listing that showed it */
	MLV_PUBLISHED_GOOD,
} MlvPublishedState;

/* What a listing (of MlvListed) of live/ tells of the list in it. */
MlvPublishedState mlv_published_state(const GArray *listed);

/* Lists live/ and writes the list, until a listing after the writing says the same: then the last
 * who writes leaves it right, whoever else was at it. *names: how many are in it. */
gboolean mlv_published_write(MlvMedium *medium, guint64 *names, GError **error);
/* The same once, for before something is deleted. */
gboolean mlv_published_write_once(MlvMedium *medium, GError **error);
/* Takes the list away. */
gboolean mlv_published_remove(MlvMedium *medium, GError **error);

#endif
