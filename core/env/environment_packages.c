/* SPDX-License-Identifier: Apache-2.0 */
/* Installed packages, from what their managers keep on disk; none of them is run. */
#include <stdlib.h>
#include <string.h>

#include "core/env/environment_private.h"

#define PACKAGES_MAX 200000u

static GHashTable *new_table(void)
{
	return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

static void add_table(GArray *entries, const char *key, GHashTable *table)
{
	if (g_hash_table_size(table) > 0)
		mlv_value_add(entries, key, mlv_environment_table(table));
	g_hash_table_unref(table);
}

/* --- dpkg ------------------------------------------------------------------------------------- */

/* The rest of a line that begins with `key`, or NULL. */
static char *field(const char *line, gsize length, const char *key)
{
	gsize n = strlen(key);

	if (length <= n || strncmp(line, key, n) != 0)
		return NULL;
	return g_strstrip(g_strndup(line + n, length - n));
}

typedef struct {
	char *name, *version, *architecture;
	gboolean installed;
} Package;

static void take_package(Package *package, GHashTable *table)
{
	if (package->name && package->version && package->installed &&
	    g_hash_table_size(table) < PACKAGES_MAX) {
		char *name = g_steal_pointer(&package->name);
		/* a second architecture of the same package */
		if (g_hash_table_contains(table, name) && package->architecture) {
			char *full = g_strconcat(name, ":", package->architecture, NULL);
			g_free(name);
			name = full;
		}
		g_hash_table_replace(table, name, g_steal_pointer(&package->version));
	}
	g_free(package->name);
	g_free(package->version);
	g_free(package->architecture);
	*package = (Package){ 0 };
}

static void take_line(Package *package, const char *line, gsize length)
{
	char *text;

	if ((text = field(line, length, "Package:"))) {
		g_free(package->name);
		package->name = text;
	} else if ((text = field(line, length, "Version:"))) {
		g_free(package->version);
		package->version = text;
	} else if ((text = field(line, length, "Architecture:"))) {
		g_free(package->architecture);
		package->architecture = text;
	} else if ((text = field(line, length, "Status:"))) {
		package->installed = g_str_has_suffix(text, " installed");
		g_free(text);
	}
}

static void add_dpkg(GArray *entries)
{
	g_autoptr(GMappedFile) file = g_mapped_file_new("/var/lib/dpkg/status", FALSE, NULL);
	GHashTable *table = new_table();
	Package package = { 0 };

	if (file && g_mapped_file_get_length(file) <= MLV_ENVIRONMENT_FILE_MAX) {
		const char *at = g_mapped_file_get_contents(file);
		const char *end = at + g_mapped_file_get_length(file);
		while (at < end) {
			const char *stop = memchr(at, '\n', (gsize)(end - at));
			gsize length = (gsize)((stop ? stop : end) - at);
			if (length == 0)
				take_package(&package, table);
			else if (*at != ' ')
				take_line(&package, at, length);
			at += length + 1;
		}
	}
	take_package(&package, table);
	add_table(entries, "dpkg", table);
}

/* --- Python ----------------------------------------------------------------------------------- */

/* "Foo_Bar" and "foo-bar" are one package: lower case, '-' for '_' and '.' (PEP 503). */
static char *normal_name(const char *name, gsize length)
{
	char *out = g_ascii_strdown(name, (gssize)length);
	return g_strdelimit(out, "_.", '-');
}

/* "numpy-1.24.2.dist-info", "six-1.16.0-py3.11.egg-info", "foo-1.egg-info". */
static void take_distribution(const char *file, GHashTable *table)
{
	static const char *const ends[] = { ".dist-info", ".egg-info" };

	for (gsize i = 0; i < G_N_ELEMENTS(ends); i++) {
		const char *dash = strchr(file, '-');
		if (!g_str_has_suffix(file, ends[i]) || !dash || dash == file)
			continue;
		gsize length = strlen(dash + 1) - strlen(ends[i]);
		g_autofree char *version = g_strndup(dash + 1, length);
		char *python = strstr(version, "-py");
		if (python)
			*python = '\0';
		char *name = normal_name(file, (gsize)(dash - file));
		if (!*version || g_hash_table_contains(table, name) ||
		    g_hash_table_size(table) >= PACKAGES_MAX)
			g_free(name);
		else
			g_hash_table_insert(table, name, g_steal_pointer(&version));
		return;
	}
}

/* What was found first, in the order of Python's own search, is what is imported. */
static void add_site(const char *folder, GHashTable *table)
{
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir)))
		take_distribution(name, table);
}

/* "python3.11" of "3.11.2". */
static char *library_name(const char *version)
{
	const char *dot = version ? strchr(version, '.') : NULL;

	if (!dot)
		return NULL;
	gsize length = (gsize)(dot - version) + 1 + strspn(dot + 1, "0123456789");
	g_autofree char *number = g_strndup(version, length);
	return g_strconcat("python", number, NULL);
}

static void add_prefix(const char *prefix, const char *library, GHashTable *table)
{
	static const char *const kinds[] = { "site-packages", "dist-packages" };

	for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
		g_autofree char *folder = g_build_filename(prefix, "lib", library, kinds[i], NULL);
		add_site(folder, table);
	}
}

/* The base installation of a virtual environment, if it can see that: pyvenv.cfg says. */
static gboolean read_venv(const char *prefix, gboolean *sees_base)
{
	g_autofree char *file = g_build_filename(prefix, "pyvenv.cfg", NULL);
	g_autofree char *text = mlv_environment_text(file);
	const char *line = text ? strstr(text, "include-system-site-packages") : NULL;
	const char *equals = line ? strchr(line, '=') : NULL;

	*sees_base = equals &&
		     g_ascii_strncasecmp(equals + 1 + strspn(equals + 1, " \t"), "true", 4) == 0;
	return text != NULL;
}

static void add_python(GArray *entries, const MlvEnvironmentOptions *options,
		       const MlvEnvironmentProgram *python)
{
	GHashTable *table = new_table();
	g_autofree char *library = library_name(python->version);
	g_autofree char *folder = python->path ? g_path_get_dirname(python->path) : NULL;
	g_autofree char *prefix = folder ? g_path_get_dirname(folder) : NULL;
	const char *home = mlv_environment_variable(options, "HOME");
	gboolean sees_base = TRUE;

	if (prefix && library) {
		gboolean venv = read_venv(prefix, &sees_base);
		if (!venv && home && *home) {
			g_autofree char *own = g_build_filename(home, ".local", NULL);
			add_prefix(own, library, table);
		}
		if (venv)
			add_prefix(prefix, library, table);
		if (!venv || sees_base) {
			g_autofree char *real = realpath(python->path, NULL);
			g_autofree char *bin = real ? g_path_get_dirname(real) : NULL;
			g_autofree char *base = bin ? g_path_get_dirname(bin) : NULL;
			if (base && (strcmp(base, "/usr") == 0 || strcmp(base, "/") == 0)) {
				add_prefix("/usr/local", library, table);
				add_prefix("/usr", library, table);
				add_site("/usr/lib/python3/dist-packages", table);
			} else if (base) {
				add_prefix(base, library, table);
			}
		}
	}
	add_table(entries, "pip", table);
}

/* --- conda ------------------------------------------------------------------------------------ */

/* NAME-VERSION-BUILD.json, where NAME may have dashes. */
static void take_conda(const char *file, GHashTable *table)
{
	g_autofree char *text = g_strdup(file);
	char *end = g_str_has_suffix(text, ".json") ? text + strlen(text) - 5 : NULL;

	if (!end)
		return;
	*end = '\0';
	char *build = strrchr(text, '-');
	if (!build || g_hash_table_size(table) >= PACKAGES_MAX)
		return;
	*build = '\0';
	char *version = strrchr(text, '-');
	if (!version || version == text)
		return;
	*version = '\0';
	g_hash_table_replace(table, g_strdup(text), g_strconcat(version + 1, " ", build + 1, NULL));
}

static void add_conda(GArray *entries, const MlvEnvironmentOptions *options)
{
	const char *prefix = mlv_environment_variable(options, "CONDA_PREFIX");
	GHashTable *table = new_table();

	if (prefix && *prefix) {
		g_autofree char *folder = g_build_filename(prefix, "conda-meta", NULL);
		g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
		const char *name;
		while (dir && (name = g_dir_read_name(dir)))
			take_conda(name, table);
	}
	add_table(entries, "conda", table);
}

void mlv_environment_add_packages(GArray *entries, const MlvEnvironmentOptions *options,
				  const MlvEnvironmentProgram *python)
{
	GArray *packages = g_array_new(FALSE, FALSE, sizeof(MlvEntry));

	add_dpkg(packages);
	add_python(packages, options, python);
	add_conda(packages, options);
	mlv_value_add(entries, "packages", mlv_value_new_map(packages));
}
