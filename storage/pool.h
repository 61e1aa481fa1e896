/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Jobs on all cores, results in order.
 *
 * A job owns its buffers and its error. The main thread submits jobs and takes them back
 * finished, in the order of submission; at most `window` are under way or waiting to be taken, so
 * memory stays bounded.
 *
 *	MlvPool *pool = mlv_pool_new(jobs, window, run);
 *	while (more) {
 *		while (mlv_pool_is_full(pool))
 *			finish(mlv_pool_take(pool));
 *		mlv_pool_submit(pool, job);
 *	}
 *	while ((job = mlv_pool_take(pool)))
 *		finish(job);
 */
#ifndef MLV_STORAGE_POOL_H
#define MLV_STORAGE_POOL_H

#include <glib.h>
#include <signal.h>

typedef struct MlvPool MlvPool;

/* `run` is called in a worker thread for each job. `threads` 0 means one a core. */
MlvPool *mlv_pool_new(guint threads, guint window, void (*run)(gpointer job, gpointer user),
		      gpointer user);
void mlv_pool_submit(MlvPool *pool, gpointer job);
gboolean mlv_pool_is_full(const MlvPool *pool);
/* The oldest job, waiting until it is done; NULL if none was submitted that has not been taken. */
gpointer mlv_pool_take(MlvPool *pool);
/* The oldest job if it is done already, else NULL. */
gpointer mlv_pool_poll(MlvPool *pool);
/* Waits for running jobs; jobs not begun are not run. `free_job` gets all that were not taken. */
void mlv_pool_free(MlvPool *pool, GDestroyNotify free_job);
/* Whether the handler of a signal has set *cancel (`cancel` may be NULL), for jobs: the handler may
 * run in another thread, so it sets it by an atomic store. */
static inline gboolean mlv_pool_is_cancelled(const volatile sig_atomic_t *cancel)
{
	return cancel && __atomic_load_n(cancel, __ATOMIC_RELAXED) != 0;
}
/* Cores that this process may use. */
guint mlv_pool_default_threads(void);

#endif
