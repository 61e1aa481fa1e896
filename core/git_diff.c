/* SPDX-License-Identifier: Apache-2.0 */
#include "core/git_diff.h"

#include "core/git_internal.h"

static int append_line(const git_diff_delta *delta, const git_diff_hunk *hunk,
		       const git_diff_line *line, void *user)
{
	GString *out = user;

	switch (line->origin) {
	case GIT_DIFF_LINE_CONTEXT:
	case GIT_DIFF_LINE_ADDITION:
	case GIT_DIFF_LINE_DELETION:
		g_string_append_c(out, line->origin);
		break;
	case GIT_DIFF_LINE_HUNK_HDR:
	case GIT_DIFF_LINE_CONTEXT_EOFNL:
	case GIT_DIFF_LINE_ADD_EOFNL:
	case GIT_DIFF_LINE_DEL_EOFNL:
		break;
	default:
		/* The file header: the caller has better names. */
		return 0;
	}
	g_string_append_len(out, line->content, (gssize)line->content_len);
	return 0;
}

gboolean mlv_git_diff_buffers(const void *from, gsize from_length, const void *to, gsize to_length,
			      guint context, GString *out, GError **error)
{
	git_diff_options options = GIT_DIFF_OPTIONS_INIT;
	git_patch *patch = NULL;
	int code;

	options.flags = GIT_DIFF_FORCE_TEXT;
	options.context_lines = context;
	/* Counted: where a repository is open this costs nothing. */
	git_libgit2_init();
	code = git_patch_from_buffers(&patch, from, from_length, NULL, to, to_length, NULL,
				      &options);
	if (code == 0)
		code = git_patch_print(patch, append_line, out);
	if (code != 0)
		mlv_git_fail(error, code, "cannot compare the lines of two files");
	git_patch_free(patch);
	git_libgit2_shutdown();
	return code == 0;
}
