/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/vfs.h>

#include "cmd/ui_json.h"
#include "core/git_run.h"
#include "core/library_version.h"
#include "core/remote_medium.h"
#include "storage/chunker.h"
#include "storage/file.h"
#include "storage/format.h"
#include "storage/library.h"
#include "storage/pool.h"

/* What is found out: a document, printed as it is with --json, else section by section. */
typedef struct {
	MlvCmd *cmd;
	json_t *document;
	gboolean trouble; /* something is not as it must be */
} Findings;

static json_t *section(Findings *findings, const char *name)
{
	json_t *object = json_object();

	json_object_set_new(findings->document, name, object);
	return object;
}

static void find_versions(Findings *findings)
{
	json_t *versions = section(findings, "versions");
	g_autofree char *glib = g_strdup_printf("%u.%u.%u", glib_major_version, glib_minor_version,
						glib_micro_version);
	g_autofree char *libgit2 = mlv_library_libgit2();
	const char *const ask[] = { "version", NULL };
	g_autoptr(GBytes) answer = NULL;
	g_autoptr(GError) error = NULL;

	mlv_json_set_text(versions, "mlv", MLV_VERSION);
	if (mlv_git_capture(NULL, ask, NULL, &answer, NULL, &error)) {
		g_autofree char *text =
			g_strndup(g_bytes_get_data(answer, NULL), g_bytes_get_size(answer));
		const char *number = g_strchomp(text);

		if (g_str_has_prefix(number, "git version "))
			number += strlen("git version ");
		mlv_json_set_text(versions, "git", number);
	} else {
		mlv_json_set_text(versions, "git", NULL);
		mlv_ui_warn(findings->cmd->ui, "%s", error->message);
		findings->trouble = TRUE;
	}
	mlv_json_set_text(versions, "libgit2", libgit2);
	mlv_json_set_text(versions, "libarchive", mlv_library_libarchive());
	mlv_json_set_text(versions, "openssl", mlv_library_openssl());
	mlv_json_set_text(versions, "zstd", mlv_library_zstd());
	mlv_json_set_text(versions, "glib", glib);
	mlv_json_set_text(versions, "jansson", jansson_version_str());
}

static void find_machine(Findings *findings)
{
	json_t *machine = section(findings, "machine");

	mlv_json_set_size(machine, "cores", mlv_pool_default_threads());
	mlv_json_set_text(machine, "chunker", mlv_chunker_implementation());
}

/* Names of statfs(2)'s f_type, for those that matter here. */
static const char *file_system_name(const struct statfs *fs)
{
	static const struct {
		guint32 type;
		const char *name;
	} names[] = {
		{ 0xef53, "ext4" },          { 0x58465342, "xfs" },   { 0x9123683e, "btrfs" },
		{ 0xca451a4e, "bcachefs" },  { 0x01021994, "tmpfs" }, { 0x6969, "nfs" },
		{ 0x794c7630, "overlayfs" }, { 0x2fc12fc1, "zfs" },   { 0xff534d42, "cifs" },
		{ 0xfe534d42, "smb2" },      { 0x65735546, "fuse" },  { 0x01021997, "9p" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
		if ((guint32)fs->f_type == names[i].type)
			return names[i].name;
	return "other";
}

static void find_file_system(Findings *findings, const char *name, const char *path)
{
	json_t *object = section(findings, name);
	g_auto(MlvFd) fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct statfs fs;
	gsize block;

	mlv_json_set_path(object, "path", path);
	if (fd < 0 || fstatfs(fd, &fs) < 0) {
		mlv_ui_warn(findings->cmd->ui, "cannot open '%s': %s", path, g_strerror(errno));
		findings->trouble = TRUE;
		return;
	}
	block = mlv_file_clone_block(fd);
	mlv_json_set_text(object, "fileSystem", file_system_name(&fs));
	mlv_json_set_size(object, "free", (guint64)fs.f_bavail * (guint64)fs.f_bsize);
	mlv_json_set_bool(object, "reflink", block > 0);
	if (block)
		mlv_json_set_size(object, "reflinkBlock", block);
}

/* "reachable", "not there yet" (the first push makes it), or what is wrong with it. */
static char *examine_remote(MlvRepo *repo, const MlvRemoteConfig *config, gboolean *trouble)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(MlvMedium) medium = mlv_remote_medium_open(repo, config, FALSE, &error);
	g_autoptr(GBytes) format = NULL;

	if (medium)
		format = mlv_medium_get(medium, MLV_FORMAT_NAME, 0, MLV_OP_ALL, MLV_FORMAT_MAX,
					&error);
	if (format && mlv_format_check(format, MLV_ROLE_REMOTE, config->url, &error))
		return g_strdup("reachable");
	if (medium && g_error_matches(error, MLV_ERROR, MLV_ERROR_MISSING)) {
		g_autofree char *parent =
			config->directory ? g_path_get_dirname(config->directory) : NULL;
		g_autoptr(GError) why = NULL;

		if ((!parent || g_file_test(parent, G_FILE_TEST_IS_DIR)) &&
		    (!medium->methods->check_vacant || medium->methods->check_vacant(medium, &why)))
			return g_strdup("not there yet; the first push makes it");
		if (why) {
			g_clear_error(&error);
			error = g_steal_pointer(&why);
		}
	}
	*trouble = TRUE;
	return g_strdup(error->message);
}

/* What keeps mlv from working here is told, and is no reason to tell nothing else. */
static void note_problem(Findings *findings, json_t *object, const GError *error)
{
	mlv_json_set_text(object, "problem", error->message);
	findings->trouble = TRUE;
}

static void find_remotes(Findings *findings, MlvRepo *repo, json_t *repository)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) remotes = mlv_remote_config_list(repo, &error);
	json_t *list = json_array();

	json_object_set_new(findings->document, "remotes", list);
	if (!remotes)
		note_problem(findings, repository, error);
	for (guint i = 0; remotes && i < remotes->len; i++) {
		const MlvRemoteConfig *config = remotes->pdata[i];
		json_t *object = json_object();
		g_autofree char *state = examine_remote(repo, config, &findings->trouble);

		mlv_json_set_text(object, "name", config->name);
		mlv_json_set_path(object, "url", config->url);
		mlv_json_set_text(object, "state", state);
		json_array_append_new(list, object);
	}
}

static void find_repository(Findings *findings)
{
	g_autoptr(GError) error = NULL;
	MlvRepo *repo = mlv_cmd_open_repo(findings->cmd, &error);
	json_t *object;
	const char *store;

	if (!repo && g_error_matches(error, MLV_ERROR, MLV_ERROR_MISSING)) {
		json_object_set_new(findings->document, "repository", json_null());
		return;
	}
	object = section(findings, "repository");
	if (!repo) {
		note_problem(findings, object, error);
		return;
	}
	mlv_json_set_text(object, "id", mlv_repo_id(repo));
	mlv_json_set_path(object, "gitDir", mlv_repo_git_dir(repo));
	find_file_system(findings, "workspace", mlv_repo_root(repo));
	store = mlv_repo_store_dir(repo);
	if (g_file_test(store, G_FILE_TEST_IS_DIR))
		find_file_system(findings, "store", store);
	find_remotes(findings, repo, object);
}

/* One member as a line; names and sizes for people. */
static void print_member(const char *key, json_t *value)
{
	g_autofree char *text = NULL;

	if (json_is_boolean(value))
		text = g_strdup(json_is_true(value) ? "yes" : "no");
	else if (strcmp(key, "free") == 0 || strcmp(key, "reflinkBlock") == 0)
		text = mlv_ui_size((guint64)json_integer_value(value));
	else if (json_is_integer(value))
		text = g_strdup_printf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (strcmp(key, "problem") == 0)
		text = mlv_ui_printable(json_string_value(value));
	else if (json_is_string(value))
		text = mlv_ui_name(json_string_value(value));
	else
		text = g_strdup("none");
	printf("  %-14s%s\n", key, text);
}

static void print_remote(json_t *remote)
{
	const char *name = json_string_value(json_object_get(remote, "name"));
	const char *state = json_string_value(json_object_get(remote, "state"));
	json_t *url = json_object_get(remote, "url");
	g_autofree char *shown_name = mlv_ui_name(name);
	g_autofree char *shown_url = mlv_ui_name(url ? json_string_value(url) : "(not UTF-8)");
	g_autofree char *shown_state = mlv_ui_printable(state);

	printf("  %-14s%s: %s\n", shown_name, shown_url, shown_state);
}

static void print_findings(json_t *document)
{
	const char *title, *key;
	json_t *part, *value;
	size_t i;

	json_object_foreach(document, title, part) {
		/* The envelope. */
		if (json_is_string(part) || json_is_integer(part))
			continue;
		printf("%s\n", title);
		if (json_is_null(part) || (json_is_array(part) && json_array_size(part) == 0))
			puts("  none");
		json_object_foreach(part, key, value)
			print_member(key, value);
		json_array_foreach(part, i, value)
			print_remote(value);
	}
}

gboolean mlv_cmd_doctor(MlvCmd *cmd, int argc, char **argv, GError **error)
{
	gboolean json = FALSE;
	const GOptionEntry entries[] = {
		{ "json", 0, 0, G_OPTION_ARG_NONE, &json, "print one JSON document", NULL },
		{ NULL },
	};
	Findings findings = { .cmd = cmd };

	if (!mlv_options_parse(cmd, entries, &argc, &argv, "\nmlv doctor", error) ||
	    !mlv_options_count(cmd, argc, 0, 0, error))
		return FALSE;
	findings.document = mlv_json_new(cmd);
	find_versions(&findings);
	find_machine(&findings);
	find_repository(&findings);
	if (findings.trouble)
		cmd->status = MLV_EXIT_CHECK;
	if (json)
		return mlv_json_print(cmd, findings.document, error);
	print_findings(findings.document);
	json_decref(findings.document);
	return mlv_cmd_keep_going(cmd, error);
}
