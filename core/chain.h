/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One source before another: what the local store lacks comes from a remote, which is opened only
 * when something is lacking.
 *
 *	MlvSource *chain = mlv_chain_new(mlv_store_source(store));
 *	mlv_chain_set_fallback(chain, open_remote, context, g_free);
 *
 * Thread safe if the first source is; the fallback is opened once, by whichever thread needs it
 * first, and is used by one thread at a time.
 */
#ifndef MLV_CORE_CHAIN_H
#define MLV_CORE_CHAIN_H

#include "storage/source.h"

/* Gives the second source, which stays the opener's and must live as long as the chain; NULL
 * with *error where it cannot be opened, without where there is none. Called at most once, in
 * any thread, never in two at a time. */
typedef MlvSource *(*MlvChainOpen)(gpointer user, GError **error);

/* `first` (borrowed) may be NULL: nothing is in it. */
MlvSource *mlv_chain_new(MlvSource *first);
/* Before the first read. `free_user` (may be NULL) is called when the chain is freed. */
void mlv_chain_set_fallback(MlvSource *chain, MlvChainOpen open, gpointer user,
			    GDestroyNotify free_user);
void mlv_chain_free(MlvSource *chain);

#endif
