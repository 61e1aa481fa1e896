/* SPDX-License-Identifier: Apache-2.0 */
/* The filter that stops a program at calls that name files: a list of comparisons for each way in
 * which a program can call this kernel, 32-bit ones included. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/syscall.h>

#include "core/pipeline/trace_private.h"

#define IO_URING_SETUP 425 /* the same everywhere */
#define X32_BIT        0x40000000u

typedef struct {
	MlvCall call;
	unsigned number;
} Row;

#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#define OTHER  AUDIT_ARCH_I386
#elif defined(__aarch64__)
#define NATIVE AUDIT_ARCH_AARCH64
#define OTHER  AUDIT_ARCH_ARM
#endif

static const Row native[] = {
#ifdef SYS_open
	{ MLV_CALL_OPEN, SYS_open },         { MLV_CALL_CREAT, SYS_creat },
	{ MLV_CALL_RENAME, SYS_rename },     { MLV_CALL_LINK, SYS_link },
	{ MLV_CALL_SYMLINK, SYS_symlink },   { MLV_CALL_UNLINK, SYS_unlink },
#endif
#ifdef SYS_renameat
	{ MLV_CALL_RENAMEAT, SYS_renameat },
#endif
	{ MLV_CALL_OPENAT, SYS_openat },     { MLV_CALL_OPENAT2, 437 },
	{ MLV_CALL_EXEC, SYS_execve },       { MLV_CALL_EXECAT, SYS_execveat },
	{ MLV_CALL_LINKAT, SYS_linkat },     { MLV_CALL_RENAMEAT2, SYS_renameat2 },
	{ MLV_CALL_UNLINKAT, SYS_unlinkat }, { MLV_CALL_SYMLINKAT, SYS_symlinkat },
	{ MLV_CALL_TRUNCATE, SYS_truncate }, { MLV_CALL_OPEN_HANDLE, SYS_open_by_handle_at },
};

#ifdef NATIVE
/* The numbers that 32-bit x86 and 32-bit ARM have in common. */
static const Row other[] = {
	{ MLV_CALL_OPEN, 5 },        { MLV_CALL_CREAT, 8 },       { MLV_CALL_LINK, 9 },
	{ MLV_CALL_UNLINK, 10 },     { MLV_CALL_EXEC, 11 },       { MLV_CALL_RENAME, 38 },
	{ MLV_CALL_SYMLINK, 83 },    { MLV_CALL_TRUNCATE, 92 },   { MLV_CALL_TRUNCATE, 193 },
	{ MLV_CALL_OPENAT2, 437 },
#ifdef __x86_64__
	{ MLV_CALL_OPENAT, 295 },    { MLV_CALL_UNLINKAT, 301 },  { MLV_CALL_RENAMEAT, 302 },
	{ MLV_CALL_LINKAT, 303 },    { MLV_CALL_SYMLINKAT, 304 }, { MLV_CALL_OPEN_HANDLE, 342 },
	{ MLV_CALL_RENAMEAT2, 353 }, { MLV_CALL_EXECAT, 358 },
#else
	{ MLV_CALL_OPENAT, 322 },    { MLV_CALL_UNLINKAT, 328 },  { MLV_CALL_RENAMEAT, 329 },
	{ MLV_CALL_LINKAT, 330 },    { MLV_CALL_SYMLINKAT, 331 }, { MLV_CALL_OPEN_HANDLE, 371 },
	{ MLV_CALL_RENAMEAT2, 382 }, { MLV_CALL_EXECAT, 387 },
#endif
};
#endif

typedef struct {
	struct sock_filter *at;
	unsigned short length;
} Program;

static void put(Program *program, unsigned short code, uint32_t k, uint8_t yes, uint8_t no)
{
	program->at[program->length++] =
		(struct sock_filter){ .code = code, .jt = yes, .jf = no, .k = k };
}

static void put_return(Program *program, uint32_t value)
{
	put(program, BPF_RET | BPF_K, value, 0, 0);
}

static void put_rows(Program *program, const Row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		put(program, BPF_JMP | BPF_JEQ | BPF_K, rows[i].number, 0, 1);
		put_return(program, SECCOMP_RET_TRACE | rows[i].call);
	}
	put(program, BPF_JMP | BPF_JEQ | BPF_K, IO_URING_SETUP, 0, 1);
	put_return(program, SECCOMP_RET_ERRNO | ENOSYS);
	put_return(program, SECCOMP_RET_ALLOW);
}

unsigned short mlv_trace_filter(struct sock_filter filter[MLV_TRACE_FILTER_MAX])
{
	Program program = { filter, 0 };

#ifdef NATIVE
	const uint8_t rest = 2 * G_N_ELEMENTS(other) + 4;

	put(&program, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch), 0, 0);
	put(&program, BPF_JMP | BPF_JEQ | BPF_K, OTHER, 0, rest);
	put(&program, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
	put_rows(&program, other, G_N_ELEMENTS(other));
#endif
	put(&program, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
#ifdef __x86_64__
	/* x32 calls have the same numbers with one bit more. */
	put(&program, BPF_ALU | BPF_AND | BPF_K, ~X32_BIT, 0, 0);
#endif
	put_rows(&program, native, G_N_ELEMENTS(native));
	return program.length;
}
