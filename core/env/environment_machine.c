/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel and the distribution tell of the machine. */
#include <gnu/libc-version.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "core/env/environment_private.h"

/* A value of os-release(5): quotes around it go. */
static char *release_value(const char *text, const char *key)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	gsize length = strlen(key);

	for (char **line = lines; *line; line++) {
		if (strncmp(*line, key, length) != 0 || (*line)[length] != '=')
			continue;
		g_autofree char *plain = g_shell_unquote(*line + length + 1, NULL);
		return plain ? g_steal_pointer(&plain) : g_strdup(*line + length + 1);
	}
	return NULL;
}

void mlv_environment_add_system(GArray *entries)
{
	g_autofree char *release = mlv_environment_text("/etc/os-release");
	g_autofree char *libc = g_strconcat("glibc ", gnu_get_libc_version(), NULL);
	struct utsname name;

	if (!release)
		release = mlv_environment_text("/usr/lib/os-release");
	if (release) {
		GArray *os = g_array_new(FALSE, FALSE, sizeof(MlvEntry));
		g_autofree char *pretty = release_value(release, "PRETTY_NAME");
		g_autofree char *id = release_value(release, "ID");
		g_autofree char *version = release_value(release, "VERSION_ID");
		mlv_environment_add(os, "name", pretty);
		mlv_environment_add(os, "id", id);
		mlv_environment_add(os, "version", version);
		mlv_value_add(entries, "os", mlv_value_new_map(os));
	}
	if (uname(&name) == 0) {
		g_autofree char *kernel = g_strconcat(name.sysname, " ", name.release, NULL);
		mlv_environment_add(entries, "kernel", kernel);
		mlv_environment_add(entries, "architecture", name.machine);
	}
	mlv_environment_add(entries, "libc", libc);
}

/* --- hardware --------------------------------------------------------------------------------- */

/* "model name	: x" of /proc/cpuinfo and its like: the first of that key. */
static char *colon_value(const char *text, const char *key)
{
	gsize length = strlen(key);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		const char *end = strchrnul(line, '\n');
		const char *colon = memchr(line, ':', (gsize)(end - line));
		if (colon && strncmp(line, key, length) == 0 &&
		    strspn(line + length, " \t") == (gsize)(colon - line) - length)
			return g_strstrip(g_strndup(colon + 1, (gsize)(end - colon) - 1));
		if (!*line)
			break;
	}
	return NULL;
}

/* Of the many flags those by which numerical libraries choose their code. */
static char *cpu_features(const char *flags)
{
	static const char *const telling[] = { "sse4_2",  "avx",         "avx2",     "fma",
					       "avx512f", "avx512_vnni", "amx_tile", "asimd",
					       "sve",     "sve2",        NULL };
	g_autoptr(GString) out = g_string_new(NULL);
	g_auto(GStrv) words = g_strsplit(flags ? flags : "", " ", -1);

	for (const char *const *at = telling; *at; at++)
		if (g_strv_contains((const char *const *)words, *at))
			g_string_append_printf(out, "%s%s", out->len ? " " : "", *at);
	return g_string_free(g_steal_pointer(&out), FALSE);
}

static void add_cpu(GArray *entries)
{
	g_autofree char *info = mlv_environment_text("/proc/cpuinfo");
	GArray *cpu = g_array_new(FALSE, FALSE, sizeof(MlvEntry));
	long count = sysconf(_SC_NPROCESSORS_ONLN);
	long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);

	if (info) {
		g_autofree char *model = colon_value(info, "model name");
		g_autofree char *flags = colon_value(info, "flags");
		if (!model)
			model = colon_value(info, "CPU part");
		if (!flags)
			flags = colon_value(info, "Features");
		g_autofree char *features = cpu_features(flags);
		mlv_environment_add(cpu, "model", model);
		mlv_environment_add(cpu, "features", features);
	}
	if (count > 0)
		mlv_value_add(cpu, "count", mlv_value_new_int(count));
	mlv_value_add(entries, "cpu", mlv_value_new_map(cpu));
	if (pages > 0 && page > 0)
		mlv_value_add(entries, "memory", mlv_value_new_int((gint64)pages * page));
}

static void add_gpu(GPtrArray *gpus, const char *model, const char *driver)
{
	GArray *gpu = g_array_new(FALSE, FALSE, sizeof(MlvEntry));

	mlv_environment_add(gpu, "model", model);
	mlv_environment_add(gpu, "driver", driver);
	g_ptr_array_add(gpus, mlv_value_new_map(gpu));
}

static gint by_text(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static GPtrArray *sorted_names(const char *folder)
{
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir)))
		g_ptr_array_add(names, g_strdup(name));
	g_ptr_array_sort(names, by_text);
	return names;
}

/* The version in "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.54.03  Tue ...". */
static char *nvidia_driver(void)
{
	g_autofree char *text = mlv_environment_text("/proc/driver/nvidia/version");
	g_auto(GStrv) words = text ? g_strsplit_set(text, " \n", -1) : NULL;

	for (char **word = words; word && *word; word++)
		if (g_ascii_isdigit(**word) && strchr(*word, '.'))
			return g_strdup(*word);
	return NULL;
}

static void add_nvidia(GPtrArray *gpus)
{
	static const char folder[] = "/proc/driver/nvidia/gpus";
	g_autofree char *driver = nvidia_driver();
	g_autoptr(GPtrArray) names = driver ? sorted_names(folder) : NULL;

	for (guint i = 0; names && i < names->len; i++) {
		g_autofree char *file =
			g_build_filename(folder, names->pdata[i], "information", NULL);
		g_autofree char *text = mlv_environment_text(file);
		g_autofree char *model = text ? colon_value(text, "Model") : NULL;
		add_gpu(gpus, model, driver);
	}
}

/* Other vendors' by the kernel's driver and the PCI ids. */
static void add_drm(GPtrArray *gpus)
{
	g_autoptr(GPtrArray) names = sorted_names("/sys/class/drm");

	for (guint i = 0; i < names->len; i++) {
		const char *name = names->pdata[i];
		if (!g_str_has_prefix(name, "card") || strchr(name, '-'))
			continue;
		g_autofree char *base = g_build_filename("/sys/class/drm", name, "device", NULL);
		g_autofree char *vendor_file = g_build_filename(base, "vendor", NULL);
		g_autofree char *device_file = g_build_filename(base, "device", NULL);
		g_autofree char *link = g_build_filename(base, "driver", NULL);
		g_autofree char *vendor = mlv_environment_text(vendor_file);
		g_autofree char *device = mlv_environment_text(device_file);
		g_autofree char *target = g_file_read_link(link, NULL);
		g_autofree char *driver = target ? g_path_get_basename(target) : NULL;
		g_autofree char *model =
			vendor && device ? g_strconcat("pci ", vendor, ":", device, NULL) : NULL;
		if (model && driver)
			add_gpu(gpus, model, driver);
	}
}

void mlv_environment_add_hardware(GArray *entries)
{
	GPtrArray *gpus = g_ptr_array_new();

	add_cpu(entries);
	add_nvidia(gpus);
	if (gpus->len == 0)
		add_drm(gpus);
	if (gpus->len > 0)
		mlv_value_add(entries, "gpus", mlv_value_new_list(gpus));
	else
		g_ptr_array_free(gpus, TRUE);
	g_autofree char *cuda = mlv_environment_text("/usr/local/cuda/version.json");
	g_autoptr(MlvValue) root =
		cuda ? mlv_value_parse_json(cuda, strlen(cuda), "version.json", NULL) : NULL;
	const MlvValue *version = mlv_value_lookup(root, "cuda.version");
	if (mlv_value_is(version, MLV_VALUE_STRING))
		mlv_environment_add(entries, "cuda", version->text);
}

/* --- container -------------------------------------------------------------------------------- */

/* The first run of 64 hex digits in a text: how Docker, containerd and podman name containers. */
static char *find_container_id(const char *text)
{
	for (gsize run = 0; *text; text++) {
		run = g_ascii_isxdigit(*text) ? run + 1 : 0;
		if (run == 64 && !g_ascii_isxdigit(text[1]))
			return g_strndup(text - 63, 64);
	}
	return NULL;
}

void mlv_environment_add_container(GArray *entries, const MlvEnvironmentOptions *options)
{
	g_autofree char *groups = mlv_environment_text("/proc/self/cgroup");
	g_autofree char *id = groups ? find_container_id(groups) : NULL;
	const char *kind = mlv_environment_variable(options, "container");

	if (!id && g_file_test("/.dockerenv", G_FILE_TEST_EXISTS)) {
		g_autofree char *mounts = mlv_environment_text("/proc/self/mountinfo");
		const char *part = mounts ? strstr(mounts, "/containers/") : NULL;
		id = part ? find_container_id(part) : NULL;
		if (!id)
			id = g_strdup("docker");
	}
	mlv_environment_add(entries, "container", id ? id : kind);
}
