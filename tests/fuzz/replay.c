/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main() for a fuzz target where there is no libFuzzer: gives it every file of the folders or
 * files named as arguments, and reports in TAP. A crash shows in the last line which input it
 * was.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The content, exactly as long as it is, so that a sanitizer sees a read behind its end. */
static uint8_t *read_input(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	struct stat st;
	uint8_t *data = NULL;

	if (file && fstat(fileno(file), &st) == 0 && S_ISREG(st.st_mode)) {
		*size = (size_t)st.st_size;
		data = malloc(*size ? *size : 1);
		if (data && fread(data, 1, *size, file) != *size) {
			free(data);
			data = NULL;
		}
	}
	if (file)
		fclose(file);
	return data;
}

static int replay_file(const char *path)
{
	size_t size = 0;
	uint8_t *data = read_input(path, &size);

	if (!data)
		return 0;
	printf("# %s\n", path);
	fflush(stdout);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	return 1;
}

static int replay(const char *path)
{
	struct dirent **names;
	int count = scandir(path, &names, NULL, alphasort);
	int inputs = 0;

	if (count < 0)
		return replay_file(path);
	for (int i = 0; i < count; i++) {
		char *inner = NULL;

		if (names[i]->d_name[0] != '.' &&
		    asprintf(&inner, "%s/%s", path, names[i]->d_name) >= 0)
			inputs += replay(inner);
		free(inner);
		free(names[i]);
	}
	free(names);
	return inputs;
}

int main(int argc, char **argv)
{
	int inputs = 0;

	for (int i = 1; i < argc; i++)
		inputs += replay(argv[i]);
	/* The empty input is one that every parser must stand. */
	LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	printf("1..1\nok 1 - survives %d inputs and the empty one\n", inputs);
	return 0;
}
