/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/pool.h"

#include <sched.h>

typedef struct {
	gpointer job;
	gboolean done;
} Slot;

struct MlvPool {
	GMutex lock;
	GCond work;     /* a job waits to be run, or the pool closes */
	GCond finished; /* some job ended */
	Slot *slots;    /* a ring of `window` */
	guint window;
	guint64 submitted, started, taken; /* taken <= started <= submitted <= taken + window */
	gboolean closing;
	void (*run)(gpointer job, gpointer user);
	gpointer user;
	GThread **threads;
	guint n_threads;
};

guint mlv_pool_default_threads(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 0)
		return (guint)CPU_COUNT(&set);
	return g_get_num_processors();
}

static gpointer work(gpointer user)
{
	MlvPool *pool = user;

	g_mutex_lock(&pool->lock);
	for (;;) {
		while (!pool->closing && pool->started == pool->submitted)
			g_cond_wait(&pool->work, &pool->lock);
		if (pool->closing)
			break;
		Slot *slot = &pool->slots[pool->started++ % pool->window];
		g_mutex_unlock(&pool->lock);
		pool->run(slot->job, pool->user);
		g_mutex_lock(&pool->lock);
		slot->done = TRUE;
		g_cond_signal(&pool->finished);
	}
	g_mutex_unlock(&pool->lock);
	return NULL;
}

MlvPool *mlv_pool_new(guint threads, guint window, void (*run)(gpointer job, gpointer user),
		      gpointer user)
{
	MlvPool *pool = g_new0(MlvPool, 1);

	pool->n_threads = threads > 0 ? threads : mlv_pool_default_threads();
	pool->window = MAX(window, 1);
	pool->slots = g_new0(Slot, pool->window);
	pool->run = run;
	pool->user = user;
	g_mutex_init(&pool->lock);
	g_cond_init(&pool->work);
	g_cond_init(&pool->finished);
	pool->threads = g_new0(GThread *, pool->n_threads);
	for (guint i = 0; i < pool->n_threads; i++)
		pool->threads[i] = g_thread_new("mlv-worker", work, pool);
	return pool;
}

gboolean mlv_pool_is_full(const MlvPool *pool)
{
	return pool->submitted - pool->taken == pool->window;
}

void mlv_pool_submit(MlvPool *pool, gpointer job)
{
	g_return_if_fail(!mlv_pool_is_full(pool));
	g_mutex_lock(&pool->lock);
	Slot *slot = &pool->slots[pool->submitted++ % pool->window];
	slot->job = job;
	slot->done = FALSE;
	g_cond_signal(&pool->work);
	g_mutex_unlock(&pool->lock);
}

static gpointer take(MlvPool *pool, gboolean wait)
{
	gpointer job = NULL;

	if (pool->taken == pool->submitted)
		return NULL;
	g_mutex_lock(&pool->lock);
	Slot *slot = &pool->slots[pool->taken % pool->window];
	while (wait && !slot->done)
		g_cond_wait(&pool->finished, &pool->lock);
	if (slot->done) {
		job = slot->job;
		pool->taken++;
	}
	g_mutex_unlock(&pool->lock);
	return job;
}

gpointer mlv_pool_take(MlvPool *pool)
{
	return take(pool, TRUE);
}

gpointer mlv_pool_poll(MlvPool *pool)
{
	return take(pool, FALSE);
}

void mlv_pool_free(MlvPool *pool, GDestroyNotify free_job)
{
	if (!pool)
		return;
	g_mutex_lock(&pool->lock);
	pool->closing = TRUE;
	g_cond_broadcast(&pool->work);
	g_mutex_unlock(&pool->lock);
	for (guint i = 0; i < pool->n_threads; i++)
		g_thread_join(pool->threads[i]);
	for (; pool->taken < pool->submitted; pool->taken++)
		if (free_job)
			free_job(pool->slots[pool->taken % pool->window].job);
	g_mutex_clear(&pool->lock);
	g_cond_clear(&pool->work);
	g_cond_clear(&pool->finished);
	g_free(pool->threads);
	g_free(pool->slots);
	g_free(pool);
}
