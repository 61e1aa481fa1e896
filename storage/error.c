/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/error.h"

#include <errno.h>

/* As G_DEFINE_QUARK has it, but for any thread: each would store the same. */
GQuark mlv_error_quark(void)
{
	static GQuark quark;
	GQuark known = __atomic_load_n(&quark, __ATOMIC_RELAXED);

	if (known == 0) {
		known = g_quark_from_static_string("mlv-error");
		__atomic_store_n(&quark, known, __ATOMIC_RELAXED);
	}
	return known;
}

gboolean mlv_fail(GError **error, MlvError code, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	if (error)
		*error = g_error_new_valist(MLV_ERROR, code, format, ap);
	va_end(ap);
	return FALSE;
}

gboolean mlv_fail_errno(GError **error, const char *format, ...)
{
	int saved = errno;
	MlvError code = saved == ENOENT   ? MLV_ERROR_MISSING
			: saved == EEXIST ? MLV_ERROR_EXISTS
					  : MLV_ERROR_FAILED;
	const char *hint = saved == ENOSPC || saved == EDQUOT
				   ? "; free some space there and run the command again"
				   : "";
	va_list ap;

	va_start(ap, format);
	g_autofree char *what = g_strdup_vprintf(format, ap);
	va_end(ap);
	if (error)
		*error = g_error_new(MLV_ERROR, code, "%s: %s%s", what, g_strerror(saved), hint);
	errno = saved;
	return FALSE;
}
