/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures of commits as git makes them: OpenPGP and X.509 through gpg's command line, SSH
 * through ssh-keygen's. */
#include <string.h>
#include <unistd.h>

#include "core/git_message.h"
#include "core/git_run.h"
#include "core/repo_private.h"

static const char *setting(const MlvRepo *repo, const char *key, const char *fallback)
{
	const char *value = mlv_config_get(repo->config, key);
	return value && *value ? value : fallback;
}

/* "Name <mail>" of "Name <mail> time zone". */
static char *identity_only(const char *committer)
{
	const char *end = strrchr(committer, '>');
	return end ? g_strndup(committer, (gsize)(end - committer) + 1) : g_strdup(committer);
}

static char *text_of(GBytes *bytes)
{
	gsize length = 0;
	const char *data = bytes ? g_bytes_get_data(bytes, &length) : NULL;
	return g_strndup(data ? data : "", length);
}

static char *sign_gpg(MlvRepo *repo, const char *program, GBytes *payload, const char *committer,
		      GError **error)
{
	g_autofree char *who = identity_only(committer);
	g_autoptr(GBytes) output = NULL;
	char *words[] = { (char *)program, (char *)"--status-fd=2", (char *)"-bsau",
			  (char *)setting(repo, "user.signingkey", who), NULL };

	if (!mlv_program_capture(repo, words, payload, &output, NULL, error))
		return NULL;
	return text_of(output);
}

/* The key that gpg.ssh.defaultKeyCommand names: a shell command by git's definition. */
static char *default_ssh_key(MlvRepo *repo, GError **error)
{
	const char *command = mlv_config_get(repo->config, "gpg.ssh.defaultkeycommand");
	g_autoptr(GBytes) output = NULL;

	if (!command || !*command) {
		mlv_fail(error, MLV_ERROR_FAILED,
			 "git is told to sign with SSH, but neither 'user.signingKey' nor "
			 "'gpg.ssh.defaultKeyCommand' is set");
		return NULL;
	}
	char *words[] = { (char *)"/bin/sh", (char *)"-c", (char *)command, NULL };
	if (!mlv_program_capture(repo, words, NULL, &output, NULL, error))
		return NULL;
	g_autofree char *text = text_of(output);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++)
		if (g_str_has_prefix(*line, "ssh-") || g_str_has_prefix(*line, "key::"))
			return g_strdup(*line);
	mlv_fail(error, MLV_ERROR_FAILED, "'gpg.ssh.defaultKeyCommand' gave no key");
	return NULL;
}

/* A key may be written into the configuration itself; then the agent has its secret half. */
static const char *literal_key(const char *key)
{
	if (g_str_has_prefix(key, "key::"))
		return key + 5;
	return g_str_has_prefix(key, "ssh-") ? key : NULL;
}

static char *sign_ssh_in(MlvRepo *repo, const char *dir, const char *program, const char *key,
			 GBytes *payload, GError **error)
{
	g_autofree char *data_file = g_build_filename(dir, "payload", NULL);
	g_autofree char *signature_file = g_build_filename(dir, "payload.sig", NULL);
	g_autofree char *key_file = NULL, *signature = NULL;
	g_autoptr(GError) local = NULL;
	g_autoptr(GBytes) output = NULL;
	const char *literal = literal_key(key);
	gsize length;
	const char *data = g_bytes_get_data(payload, &length);

	key_file = literal                       ? g_build_filename(dir, "key", NULL)
		   : g_str_has_prefix(key, "~/") ? g_build_filename(g_get_home_dir(), key + 2, NULL)
						 : g_canonicalize_filename(key, repo->root);
	if (!g_file_set_contents(data_file, data, (gssize)length, &local) ||
	    (literal && !g_file_set_contents(key_file, literal, -1, &local))) {
		mlv_fail(error, MLV_ERROR_FAILED, "cannot prepare the signature: %s",
			 local->message);
		return NULL;
	}
	char *words[] = { (char *)program,
			  (char *)"-Y",
			  (char *)"sign",
			  (char *)"-n",
			  (char *)"git",
			  (char *)"-f",
			  key_file,
			  literal ? (char *)"-U" : data_file,
			  literal ? data_file : NULL,
			  NULL };
	gboolean ok = mlv_program_capture(repo, words, NULL, &output, NULL, error);
	if (ok && !g_file_get_contents(signature_file, &signature, NULL, &local))
		mlv_fail(error, MLV_ERROR_FAILED, "'%s' made no signature", program);
	unlink(signature_file);
	unlink(data_file);
	if (literal)
		unlink(key_file);
	return g_steal_pointer(&signature);
}

static char *sign_ssh(MlvRepo *repo, GBytes *payload, GError **error)
{
	const char *set = setting(repo, "user.signingkey", NULL);
	g_autofree char *key = set ? g_strdup(set) : default_ssh_key(repo, error);
	g_autoptr(GError) local = NULL;

	if (!key)
		return NULL;
	g_autofree char *dir = g_dir_make_tmp("mlv-sign-XXXXXX", &local);
	if (!dir) {
		mlv_fail(error, MLV_ERROR_FAILED, "cannot make a temporary folder: %s",
			 local->message);
		return NULL;
	}
	char *signature = sign_ssh_in(repo, dir, setting(repo, "gpg.ssh.program", "ssh-keygen"),
				      key, payload, error);
	rmdir(dir);
	return signature;
}

gboolean mlv_git_sign(MlvRepo *repo, const char *bytes, gsize length, const char *committer,
		      char **signature, GError **error)
{
	const char *format = setting(repo, "gpg.format", "openpgp");
	gboolean wanted;

	*signature = NULL;
	if (!mlv_config_get_bool(repo->config, "commit.gpgsign", FALSE, &wanted, error))
		return FALSE;
	if (!wanted)
		return TRUE;
	g_autoptr(GBytes) payload = g_bytes_new(bytes, length);
	if (strcmp(format, "openpgp") == 0) {
		const char *program =
			setting(repo, "gpg.openpgp.program", setting(repo, "gpg.program", "gpg"));
		*signature = sign_gpg(repo, program, payload, committer, error);
	} else if (strcmp(format, "x509") == 0) {
		*signature = sign_gpg(repo, setting(repo, "gpg.x509.program", "gpgsm"), payload,
				      committer, error);
	} else if (strcmp(format, "ssh") == 0) {
		*signature = sign_ssh(repo, payload, error);
	} else {
		mlv_fail(error, MLV_ERROR_FAILED, "'gpg.format' is '%s', which git does not know",
			 format);
	}
	if (!*signature) {
		g_prefix_error(error, "the commit cannot be signed: ");
		return FALSE;
	}
	return g_str_has_prefix(*signature, "-----BEGIN") ||
	       mlv_fail(error, MLV_ERROR_FAILED,
			"the commit cannot be signed: the program made no signature");
}
