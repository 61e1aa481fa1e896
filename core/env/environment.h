/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The environment that a program runs in: what else than code, data and parameters its results may
 * depend on. Read from files; programs are asked only for versions that no file has, and the
 * answers are kept. The same machine gives the same value: keys are in a fixed order, lists of
 * packages sorted.
 *
 *	MlvEnvironmentOptions options = { .variables = (const char *const *)environ };
 *	g_autoptr(MlvValue) environment = mlv_environment_read(&options, error);
 *	mlv_environment_compare(before, environment, each, user);
 *
 * One thread.
 */
#ifndef MLV_CORE_ENV_ENVIRONMENT_H
#define MLV_CORE_ENV_ENVIRONMENT_H

#include "core/value.h"

typedef struct {
	const char *const
		*variables;       /* "NAME=VALUE", NULL behind the last, as environ; may be NULL */
	const char *const *names; /* further variables to record: names or patterns with '*' and
					 '?', NULL behind the last; may be NULL */
	const char *folder; /* where a relative path, as of a version file, begins; NULL: "." */
	const char *cache;  /* file in which versions that programs told are kept; may be NULL */
} MlvEnvironmentOptions;

/* A map: os, kernel, architecture, cpu, memory, gpus, libc, container, variables, interpreters,
 * packages. What this machine has not, or does not tell, is left out. Never fails. Variables whose
 * names tell of a secret are never in it, whatever `names` says. */
MlvValue *mlv_environment_read(const MlvEnvironmentOptions *options);

/* Whether a variable of that name may hold a secret. */
gboolean mlv_environment_is_secret(const char *name);

/* Calls `each` for every scalar, list, or missing part in which the two differ: `path` is
 * "packages.pip.numpy", from or to NULL where there is none. Sorted as in `from`, then what only
 * `to` has. Either may be NULL. */
typedef void (*MlvEnvironmentEach)(const char *path, const MlvValue *from, const MlvValue *to,
				   gpointer user);
void mlv_environment_compare(const MlvValue *from, const MlvValue *to, MlvEnvironmentEach each,
			     gpointer user);

#endif
