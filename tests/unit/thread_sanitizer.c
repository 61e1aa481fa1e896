/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tells ThreadSanitizer of GLib's locks, which are futexes of GLib's own in a library that is not
 * instrumented. Linked with --wrap in a build with SANITIZE=thread, and in no other.
 */
#include <glib.h>
#include <sanitizer/tsan_interface.h>

void __real_g_mutex_lock(GMutex *mutex);
void __wrap_g_mutex_lock(GMutex *mutex);
void __wrap_g_mutex_lock(GMutex *mutex)
{
	__real_g_mutex_lock(mutex);
	__tsan_acquire(mutex);
}

void __real_g_mutex_unlock(GMutex *mutex);
void __wrap_g_mutex_unlock(GMutex *mutex);
void __wrap_g_mutex_unlock(GMutex *mutex)
{
	__tsan_release(mutex);
	__real_g_mutex_unlock(mutex);
}

void __real_g_cond_wait(GCond *cond, GMutex *mutex);
void __wrap_g_cond_wait(GCond *cond, GMutex *mutex);
void __wrap_g_cond_wait(GCond *cond, GMutex *mutex)
{
	__tsan_release(mutex);
	__real_g_cond_wait(cond, mutex);
	__tsan_acquire(mutex);
}

gboolean __real_g_cond_wait_until(GCond *cond, GMutex *mutex, gint64 end);
gboolean __wrap_g_cond_wait_until(GCond *cond, GMutex *mutex, gint64 end);
gboolean __wrap_g_cond_wait_until(GCond *cond, GMutex *mutex, gint64 end)
{
	gboolean signalled;

	__tsan_release(mutex);
	signalled = __real_g_cond_wait_until(cond, mutex, end);
	__tsan_acquire(mutex);
	return signalled;
}

void __real_g_rw_lock_reader_lock(GRWLock *lock);
void __wrap_g_rw_lock_reader_lock(GRWLock *lock);
void __wrap_g_rw_lock_reader_lock(GRWLock *lock)
{
	__real_g_rw_lock_reader_lock(lock);
	__tsan_acquire(lock);
}

void __real_g_rw_lock_reader_unlock(GRWLock *lock);
void __wrap_g_rw_lock_reader_unlock(GRWLock *lock);
void __wrap_g_rw_lock_reader_unlock(GRWLock *lock)
{
	__tsan_release(lock);
	__real_g_rw_lock_reader_unlock(lock);
}

void __real_g_rw_lock_writer_lock(GRWLock *lock);
void __wrap_g_rw_lock_writer_lock(GRWLock *lock);
void __wrap_g_rw_lock_writer_lock(GRWLock *lock)
{
	__real_g_rw_lock_writer_lock(lock);
	__tsan_acquire(lock);
}

void __real_g_rw_lock_writer_unlock(GRWLock *lock);
void __wrap_g_rw_lock_writer_unlock(GRWLock *lock);
void __wrap_g_rw_lock_writer_unlock(GRWLock *lock)
{
	__tsan_release(lock);
	__real_g_rw_lock_writer_unlock(lock);
}

void __real_g_async_queue_push(GAsyncQueue *queue, gpointer data);
void __wrap_g_async_queue_push(GAsyncQueue *queue, gpointer data);
void __wrap_g_async_queue_push(GAsyncQueue *queue, gpointer data)
{
	__tsan_release(queue);
	__real_g_async_queue_push(queue, data);
}

gpointer __real_g_async_queue_pop(GAsyncQueue *queue);
gpointer __wrap_g_async_queue_pop(GAsyncQueue *queue);
gpointer __wrap_g_async_queue_pop(GAsyncQueue *queue)
{
	gpointer data = __real_g_async_queue_pop(queue);

	__tsan_acquire(queue);
	return data;
}

gpointer __real_g_async_queue_try_pop(GAsyncQueue *queue);
gpointer __wrap_g_async_queue_try_pop(GAsyncQueue *queue);
gpointer __wrap_g_async_queue_try_pop(GAsyncQueue *queue)
{
	gpointer data = __real_g_async_queue_try_pop(queue);

	__tsan_acquire(queue);
	return data;
}
