/* SPDX-License-Identifier: Apache-2.0 */
/* The pool that reads directories ahead. What is done with one directory is in scan_dir.c. */
#include "core/scan.h"

#include "core/scan_private.h"
#include "storage/pool.h"

#define AHEAD_MAX (256u << 10) /* entries read and not taken at which the workers pause */

static void node_free(gpointer data)
{
	MlvScanNode *node = data;

	mlv_scan_dir_free(node->dir);
	mlv_ignore_rules_unref(node->rules);
	g_free(node->path);
	g_free(node);
}

static MlvScanNode *node_new(MlvScan *scan, const char *path, MlvIgnoreRules *rules)
{
	MlvScanNode *node = g_new0(MlvScanNode, 1);

	node->path = g_strdup(path);
	node->rules = rules ? mlv_ignore_rules_ref(rules) : NULL;
	return node;
}

/* Reads the node's directory, gives its sub-directories nodes, and queues them so that the first
 * comes out first. Called without the lock. */
static void run_node(MlvScan *scan, MlvScanNode *node)
{
	g_autoptr(MlvIgnoreRules) rules = NULL;
	MlvScanDir *dir = mlv_scan_read_dir(scan, node->path, node->rules, &rules);

	for (gsize i = 0; i < dir->count; i++)
		if (dir->entries[i].type == MLV_SCAN_DIRECTORY) {
			g_autofree char *path = g_strconcat(node->path, *node->path ? "/" : "",
							    dir->entries[i].name, NULL);
			dir->entries[i].node = node_new(scan, path, rules);
		}
	g_mutex_lock(&scan->lock);
	for (gsize i = dir->count; i-- > 0;)
		if (dir->entries[i].node) {
			g_ptr_array_add(scan->nodes, dir->entries[i].node);
			g_queue_push_head(&scan->queue, dir->entries[i].node);
		}
	node->dir = dir;
	node->state = NODE_DONE;
	scan->ahead += dir->count + 1;
	g_cond_broadcast(&scan->done);
	g_cond_broadcast(&scan->work);
	g_mutex_unlock(&scan->lock);
}

/* Under the lock: a part of a large directory that some thread reads and wants help with, or
 * NULL. */
static ScanSlices *find_slices(MlvScan *scan)
{
	for (GList *link = scan->slices.head; link; link = link->next) {
		ScanSlices *slices = link->data;
		if (slices->next < slices->count)
			return slices;
	}
	return NULL;
}

static gpointer work(gpointer user)
{
	MlvScan *scan = user;

	g_mutex_lock(&scan->lock);
	while (!scan->closing) {
		ScanSlices *slices = find_slices(scan);
		MlvScanNode *node;

		if (slices) {
			mlv_scan_run_slice(scan, slices);
		} else if (scan->ahead < AHEAD_MAX && (node = g_queue_pop_head(&scan->queue))) {
			node->state = NODE_RUNNING;
			g_mutex_unlock(&scan->lock);
			run_node(scan, node);
			g_mutex_lock(&scan->lock);
		} else {
			g_cond_wait(&scan->work, &scan->lock);
		}
	}
	g_mutex_unlock(&scan->lock);
	return NULL;
}

MlvScan *mlv_scan_new(int root_fd, MlvStatCache *cache, guint threads)
{
	MlvScan *scan = g_new0(MlvScan, 1);

	scan->root_fd = root_fd;
	scan->cache = cache;
	g_mutex_init(&scan->lock);
	g_cond_init(&scan->work);
	g_cond_init(&scan->done);
	scan->nodes = g_ptr_array_new();
	scan->n_threads = threads > 0 ? threads : mlv_pool_default_threads();
	scan->threads = g_new0(GThread *, scan->n_threads);
	return scan;
}

void mlv_scan_sweep(MlvScan *scan)
{
	scan->sweep = TRUE;
}

/* Threads are started when there is a directory to walk: many a scan is of one file. */
static void start_threads(MlvScan *scan)
{
	for (guint i = 0; i < scan->n_threads && !scan->threads[i]; i++)
		scan->threads[i] = g_thread_new("mlv-scan", work, scan);
}

MlvScanNode *mlv_scan_root(MlvScan *scan, const char *path, MlvIgnoreRules *rules)
{
	MlvScanNode *node = node_new(scan, path, rules);

	start_threads(scan);
	g_mutex_lock(&scan->lock);
	g_ptr_array_add(scan->nodes, node);
	g_queue_push_tail(&scan->queue, node);
	g_cond_signal(&scan->work);
	g_mutex_unlock(&scan->lock);
	return node;
}

MlvScanDir *mlv_scan_take(MlvScan *scan, MlvScanNode *node)
{
	g_mutex_lock(&scan->lock);
	if (node->state == NODE_QUEUED && g_queue_remove(&scan->queue, node)) {
		node->state = NODE_RUNNING;
		g_mutex_unlock(&scan->lock);
		run_node(scan, node);
		g_mutex_lock(&scan->lock);
	}
	while (node->state != NODE_DONE)
		g_cond_wait(&scan->done, &scan->lock);
	MlvScanDir *dir = g_steal_pointer(&node->dir);
	scan->ahead -= dir->count + 1;
	g_cond_signal(&scan->work);
	g_mutex_unlock(&scan->lock);
	return dir;
}

void mlv_scan_dir_free(MlvScanDir *dir)
{
	if (!dir)
		return;
	g_clear_error(&dir->error);
	mlv_ignore_rules_unref(dir->rules);
	g_free(dir->entries);
	g_byte_array_unref(dir->names);
	g_free(dir->path);
	g_free(dir);
}

void mlv_scan_free(MlvScan *scan)
{
	if (!scan)
		return;
	g_mutex_lock(&scan->lock);
	scan->closing = TRUE;
	g_cond_broadcast(&scan->work);
	g_mutex_unlock(&scan->lock);
	for (guint i = 0; i < scan->n_threads && scan->threads[i]; i++)
		g_thread_join(scan->threads[i]);
	g_queue_clear(&scan->queue);
	for (guint i = 0; i < scan->nodes->len; i++)
		node_free(scan->nodes->pdata[i]);
	g_ptr_array_unref(scan->nodes);
	g_mutex_clear(&scan->lock);
	g_cond_clear(&scan->work);
	g_cond_clear(&scan->done);
	g_free(scan->threads);
	g_free(scan);
}
