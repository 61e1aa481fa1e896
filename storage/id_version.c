/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/crypto.h>

#include "storage/library.h"

const char *mlv_library_openssl(void)
{
	return OpenSSL_version(OPENSSL_VERSION_STRING);
}
