/* SPDX-License-Identifier: Apache-2.0 */
#include "core/chain.h"

typedef struct {
	MlvSource source; /* first: an MlvSource * is cast to a Chain * */
	MlvSource *first;
	MlvChainOpen open;
	gpointer user;
	GDestroyNotify free_user;
	GMutex lock; /* guards what follows, and the use of the second: it is for one at a time */
	gboolean opened;
	MlvSource *second;
	GError *failed; /* why the second could not be opened */
} Chain;

/* The second source, or NULL with or without *error. Under the lock. */
static MlvSource *second_source(Chain *chain, GError **error)
{
	if (!chain->open)
		return NULL;
	if (!chain->opened) {
		chain->opened = TRUE;
		chain->second = chain->open(chain->user, &chain->failed);
	}
	if (!chain->second && chain->failed)
		g_propagate_error(error, g_error_copy(chain->failed));
	return chain->second;
}

static gboolean fail_missing(MlvKind kind, const MlvId *id, GError **error)
{
	char hex[MLV_ID_HEX + 1];

	mlv_id_format(id, hex);
	return mlv_fail(error, MLV_ERROR_MISSING, "object sha256:%s is not in the store", hex);
}

static GBytes *chain_read(MlvSource *source, MlvKind kind, const MlvId *id, GError **error)
{
	Chain *chain = (Chain *)source;
	g_autoptr(GMutexLocker) locker = NULL;
	g_autoptr(GError) absent = NULL, failed = NULL;
	GBytes *bytes = NULL;
	MlvSource *second;

	if (chain->first)
		bytes = chain->first->read(chain->first, kind, id, &absent);
	else
		fail_missing(kind, id, &absent);
	if (bytes)
		return bytes;
	if (!g_error_matches(absent, MLV_ERROR, MLV_ERROR_MISSING)) {
		g_propagate_error(error, g_steal_pointer(&absent));
		return NULL;
	}
	locker = g_mutex_locker_new(&chain->lock);
	second = second_source(chain, &failed);
	if (second)
		return second->read(second, kind, id, error);
	if (failed)
		g_propagate_prefixed_error(error, g_steal_pointer(&failed),
					   "%s, and the remote cannot be asked: ", absent->message);
	else
		g_propagate_error(error, g_steal_pointer(&absent));
	return NULL;
}

static gboolean chain_has(MlvSource *source, MlvKind kind, const MlvId *id, gboolean *has,
			  GError **error)
{
	Chain *chain = (Chain *)source;
	g_autoptr(GMutexLocker) locker = NULL;
	g_autoptr(GError) failed = NULL;
	MlvSource *second;

	*has = FALSE;
	if (chain->first && !chain->first->has(chain->first, kind, id, has, error))
		return FALSE;
	if (*has)
		return TRUE;
	locker = g_mutex_locker_new(&chain->lock);
	second = second_source(chain, &failed);
	if (failed) {
		g_propagate_error(error, g_steal_pointer(&failed));
		return FALSE;
	}
	return !second || second->has(second, kind, id, has, error);
}

/* Only what the first lacks is asked of the second. */
static gboolean chain_prefetch(MlvSource *source, MlvKind kind, const MlvId *ids, gsize count,
			       GError **error)
{
	Chain *chain = (Chain *)source;
	g_autofree MlvId *lacking = g_new(MlvId, count + 1);
	g_autoptr(GMutexLocker) locker = NULL;
	gsize n_lacking = 0;
	MlvSource *second;

	if (!chain->open)
		return TRUE;
	for (gsize i = 0; i < count; i++) {
		gboolean has = FALSE;

		if (chain->first && !chain->first->has(chain->first, kind, &ids[i], &has, error))
			return FALSE;
		if (!has)
			lacking[n_lacking++] = ids[i];
	}
	if (n_lacking == 0)
		return TRUE;
	locker = g_mutex_locker_new(&chain->lock);
	/* A remote that cannot be opened is told when something is read. */
	second = second_source(chain, NULL);
	return !second || !second->prefetch ||
	       second->prefetch(second, kind, lacking, n_lacking, error);
}

MlvSource *mlv_chain_new(MlvSource *first)
{
	Chain *chain = g_new0(Chain, 1);

	chain->source.read = chain_read;
	chain->source.has = chain_has;
	chain->source.prefetch = chain_prefetch;
	chain->first = first;
	g_mutex_init(&chain->lock);
	return &chain->source;
}

void mlv_chain_set_fallback(MlvSource *source, MlvChainOpen open, gpointer user,
			    GDestroyNotify free_user)
{
	Chain *chain = (Chain *)source;

	chain->open = open;
	chain->user = user;
	chain->free_user = free_user;
}

void mlv_chain_free(MlvSource *source)
{
	Chain *chain = (Chain *)source;

	if (!chain)
		return;
	if (chain->free_user)
		chain->free_user(chain->user);
	g_clear_error(&chain->failed);
	g_mutex_clear(&chain->lock);
	g_free(chain);
}
