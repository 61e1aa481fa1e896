/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logins of web servers, from where git has them: `git credential` asks the helpers that the user
 * has set up, or the user. Neither arguments nor messages ever hold a secret.
 *
 *	MlvWebHelper helper = mlv_git_credential_helper(repo);
 *	g_autoptr(MlvWeb) web = mlv_web_new(&options, &helper);
 */
#ifndef MLV_CORE_GIT_CREDENTIAL_H
#define MLV_CORE_GIT_CREDENTIAL_H

#include "core/repo.h"
#include "storage/http/web.h"

/* Runs git where the repository is (NULL: in the current folder), which must live as long as what
 * uses the helper. */
MlvWebHelper mlv_git_credential_helper(MlvRepo *repo);

#endif
