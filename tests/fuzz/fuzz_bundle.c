/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Foreign bytes as a bundle: manifest, frames, packs, table, footer. The first byte says whether
 * the checksums over the manifest and the whole are made right before, since no mutation would
 * ever get past a SHA-256.
 */
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/bundle_apply.h"
#include "core/bundle_format.h"
#include "storage/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static void seal(guint8 *bytes, gsize length)
{
	guint64 manifest;
	MlvId id;

	if (length < MLV_BUNDLE_HEADER + MLV_BUNDLE_FOOTER)
		return;
	manifest = mlv_bundle_get_u64(bytes + 8);
	if (manifest <= length - MLV_BUNDLE_HEADER) {
		mlv_id_of(bytes + MLV_BUNDLE_HEADER, manifest, &id);
		memcpy(bytes + 16, id.b, MLV_ID_SIZE);
	}
	mlv_id_of(bytes, length - 32, &id);
	memcpy(bytes + length - 32, id.b, MLV_ID_SIZE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	g_autoptr(MlvBundleReader) reader = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree guint8 *bytes = NULL;
	g_auto(MlvFd) fd = memfd_create("fuzz", MFD_CLOEXEC);
	MlvBundleReadOptions options = { .threads = 1 };
	MlvBundleResult result;

	if (length == 0 || fd < 0)
		return 0;
	bytes = g_memdup2(data + 1, length - 1);
	if (data[0] & 1)
		seal(bytes, length - 1);
	if (!mlv_file_write(fd, bytes, length - 1, "fuzz", NULL) || lseek(fd, 0, SEEK_SET) < 0)
		return 0;
	reader = mlv_bundle_reader_new(fd, "fuzz", &error);
	if (!reader != !!error)
		abort();
	if (reader && !mlv_bundle_verify(reader, NULL, &options, &result, &error) != !!error)
		abort();
	return 0;
}
