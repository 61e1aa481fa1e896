/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A library for LD_PRELOAD that makes the n-th system call on files beneath a folder fail, or kills
 * the process there. What it does is said by variables:
 *
 *	FAULT_ROOT     folder; only calls on what lies beneath count (absolute, no symlinks in it)
 *	FAULT_CALLS    kinds that count, separated by commas: see `kinds` below; unset: all
 *	FAULT_NTH      which of the calls that count, from 1; 0: none, they are only listed
 *	FAULT_ACTION   an error (EIO, ENOSPC, EINTR ...), "short" (half is read or written), or
 *	               "kill" (SIGKILL just before the call)
 *	FAULT_STICKY   set: every call that counts fails from the n-th on, as on a full disk
 *	FAULT_FIRED    file that is written when it happened: "<n> <kind> <path>"
 *	FAULT_LOG      file to which every call that counts is appended, a line each: the same, and
 *	               for a rename " -> <new path>"
 *	FAULT_PROGRAM  name of the program that is meant ("mlv"); its children run undisturbed
 *	FAULT_NO_SYNC  set: in all programs, what is to be synced is not, to save time
 *
 * Calls that libc makes inside itself (stdio) are not seen. Calls are numbered in the order in
 * which they come, by all threads together.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

typedef enum {
	OPEN,   /* of what exists */
	CREATE, /* open with O_CREAT or O_TMPFILE */
	READ,
	LIST, /* opendir, readdir */
	STAT,
	MAP,
	WRITE,
	SYNC,
	RENAME,   /* and link */
	UNLINK,   /* and rmdir */
	TRUNCATE, /* and fallocate */
	MKDIR,
	SYMLINK,
	CLONE, /* FICLONE, FICLONERANGE, copy_file_range */
	MODE,  /* chmod, utimens */
	N_KINDS
} Kind;

static const char *const kinds[N_KINDS] = {
	"open",   "create", "read",     "list",  "stat",    "map",   "write", "sync",
	"rename", "unlink", "truncate", "mkdir", "symlink", "clone", "mode",
};

static const struct {
	const char *name;
	int number;
} errors[] = {
	{ "EIO", EIO },       { "ENOSPC", ENOSPC }, { "EINTR", EINTR },
	{ "EDQUOT", EDQUOT }, { "EACCES", EACCES }, { "EMFILE", EMFILE },
	{ "EROFS", EROFS },   { "ESTALE", ESTALE }, { "EXDEV", EXDEV },
};

#define SHORT -1
#define KILL  -2

typedef struct {
	char root[PATH_MAX];
	size_t root_length; /* 0: nothing counts */
	unsigned mask;      /* of kinds */
	long nth;
	int action; /* an errno, SHORT or KILL */
	int sticky;
	int no_sync;
	const char *fired;
	int log;
	atomic_long count;
	long (*syscall)(long number, ...);
	DIR *(*opendir)(const char *path);
	DIR *(*fdopendir)(int fd);
	struct dirent *(*readdir)(DIR *dir);
} Fault;

static Fault fault;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* --- what the variables say ------------------------------------------------------------------- */

static unsigned parse_kinds(const char *text)
{
	char copy[512], *save = NULL;
	unsigned mask = 0;

	if (!text || !*text)
		return ~0u;
	snprintf(copy, sizeof(copy), "%s", text);
	for (char *word = strtok_r(copy, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
		unsigned before = mask;
		for (int i = 0; i < N_KINDS; i++)
			mask |= strcmp(word, kinds[i]) == 0 ? 1u << i : 0;
		if (mask == before) {
			fprintf(stderr, "faultlib: no kind of call is named '%s' only\n", word);
			_exit(125);
		}
	}
	return mask;
}

static int parse_action(const char *text)
{
	if (!text || strcmp(text, "kill") == 0)
		return KILL;
	if (strcmp(text, "short") == 0)
		return SHORT;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		if (strcmp(text, errors[i].name) == 0)
			return errors[i].number;
	}
	fprintf(stderr, "faultlib: '%s' is no action\n", text);
	_exit(125);
}

/* What the calls here are made of. A sanitizer makes some before there is an environment. */
static void begin(void)
{
	*(void **)&fault.syscall = dlsym(RTLD_NEXT, "syscall");
	*(void **)&fault.opendir = dlsym(RTLD_NEXT, "opendir");
	*(void **)&fault.fdopendir = dlsym(RTLD_NEXT, "fdopendir");
	*(void **)&fault.readdir = dlsym(RTLD_NEXT, "readdir");
}

__attribute__((constructor)) static void read_variables(void)
{
	const char *root = getenv("FAULT_ROOT"), *program = getenv("FAULT_PROGRAM");
	const char *nth = getenv("FAULT_NTH"), *log = getenv("FAULT_LOG");

	pthread_once(&once, begin);
	fault.no_sync = getenv("FAULT_NO_SYNC") != NULL;
	if (!root || strcmp(program_invocation_short_name, program ? program : "mlv") != 0)
		return;
	snprintf(fault.root, sizeof(fault.root), "%s", root);
	fault.mask = parse_kinds(getenv("FAULT_CALLS"));
	fault.nth = nth ? atol(nth) : 0;
	fault.action = parse_action(getenv("FAULT_ACTION"));
	fault.sticky = getenv("FAULT_STICKY") != NULL;
	fault.fired = getenv("FAULT_FIRED");
	fault.log = -1;
	if (log)
		fault.log = (int)fault.syscall(SYS_openat, AT_FDCWD, log,
					       O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	fault.root_length = strlen(fault.root);
}

/* --- one call --------------------------------------------------------------------------------- */

static void tell(int fd, const char *line, size_t length)
{
	if (fd >= 0)
		fault.syscall(SYS_write, fd, line, length);
}

/* Counts a call on `path`; 0 if it is to go ahead, or an errno or SHORT. Keeps errno. */
static int strike(Kind kind, const char *path, const char *second)
{
	char line[2 * PATH_MAX + 64];
	int saved = errno;

	if (strncmp(path, fault.root, fault.root_length) != 0 ||
	    (path[fault.root_length] != '/' && path[fault.root_length] != '\0'))
		return 0;
	long n = atomic_fetch_add(&fault.count, 1) + 1;
	int length = snprintf(line, sizeof(line), "%ld %s %s%s%s\n", n, kinds[kind], path,
			      second ? " -> " : "", second ? second : "");
	if (length >= (int)sizeof(line))
		length = sizeof(line) - 1;
	tell(fault.log, line, (size_t)length);
	if (fault.nth == 0 || (fault.sticky ? n < fault.nth : n != fault.nth)) {
		errno = saved;
		return 0;
	}
	if (fault.fired && n == fault.nth) {
		int fd = (int)fault.syscall(SYS_openat, AT_FDCWD, fault.fired,
					    O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
		tell(fd, line, (size_t)length);
		fault.syscall(SYS_close, fd);
	}
	if (fault.action == KILL)
		fault.syscall(SYS_kill, (long)getpid(), (long)SIGKILL);
	errno = saved;
	return fault.action;
}

static int counts(Kind kind)
{
	pthread_once(&once, begin);
	return fault.root_length > 0 && (fault.mask & (1u << kind)) != 0;
}

/* Where an open descriptor lies; "" if unknown. */
static void locate(int fd, char *out, size_t size)
{
	char self[32];
	long length;

	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	length = fault.syscall(SYS_readlinkat, (long)AT_FDCWD, self, out, size - 1);
	out[length < 0 ? 0 : length] = '\0';
}

static void locate_at(int dirfd, const char *path, char *out, size_t size)
{
	size_t length = 0;

	if (path[0] != '/') {
		if (dirfd != AT_FDCWD)
			locate(dirfd, out, size);
		else if (!getcwd(out, size))
			out[0] = '\0';
		length = strlen(out);
		if (length + 1 < size)
			out[length++] = '/';
	}
	snprintf(out + length, size - length, "%s", path);
}

static int check_fd(Kind kind, int fd)
{
	char path[PATH_MAX];
	int saved = errno;

	if (!counts(kind))
		return 0;
	locate(fd, path, sizeof(path));
	errno = saved;
	return strike(kind, path, NULL);
}

static int check_at(Kind kind, int dirfd, const char *path)
{
	char whole[PATH_MAX];
	int saved = errno;

	if (!counts(kind) || !path)
		return 0;
	locate_at(dirfd, path, whole, sizeof(whole));
	errno = saved;
	return strike(kind, whole, NULL);
}

static int check_two(int from_dir, const char *from, int to_dir, const char *to)
{
	char first[PATH_MAX], second[PATH_MAX];
	int saved = errno;

	if (!counts(RENAME))
		return 0;
	locate_at(from_dir, from, first, sizeof(first));
	locate_at(to_dir, to, second, sizeof(second));
	errno = saved;
	/* Linking what has no name: the new one says where it is. */
	if (strncmp(first, "/proc/", 6) == 0)
		return strike(RENAME, second, NULL);
	return strike(RENAME, first, second);
}

/* The call fails with an errno; "short" means nothing where nothing is counted in bytes. */
static int refused(int verdict)
{
	if (verdict <= 0)
		return 0;
	errno = verdict;
	return 1;
}

static size_t shortened(int verdict, size_t length)
{
	return verdict == SHORT && length > 1 ? length / 2 : length;
}

/* --- opening ---------------------------------------------------------------------------------- */

static int open_any(int dirfd, const char *path, int flags, mode_t mode)
{
	int made = (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;

	if (refused(check_at(made ? CREATE : OPEN, dirfd, path)))
		return -1;
	pthread_once(&once, begin);
	return (int)fault.syscall(SYS_openat, (long)dirfd, path, (long)flags, (long)mode);
}

int open(const char *path, int flags, ...)
{
	va_list list;

	va_start(list, flags);
	mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(list, mode_t) : 0;
	va_end(list);
	return open_any(AT_FDCWD, path, flags, mode);
}

int openat(int dirfd, const char *path, int flags, ...)
{
	va_list list;

	va_start(list, flags);
	mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(list, mode_t) : 0;
	va_end(list);
	return open_any(dirfd, path, flags, mode);
}

int creat(const char *path, mode_t mode)
{
	return open_any(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

int __open_2(const char *path, int flags);
int __open_2(const char *path, int flags)
{
	return open_any(AT_FDCWD, path, flags, 0);
}

int __openat_2(int dirfd, const char *path, int flags);
int __openat_2(int dirfd, const char *path, int flags)
{
	return open_any(dirfd, path, flags, 0);
}

int open64(const char *path, int flags, ...) __attribute__((alias("open")));
int openat64(int dirfd, const char *path, int flags, ...) __attribute__((alias("openat")));
int creat64(const char *path, mode_t mode) __attribute__((alias("creat")));
int __open64_2(const char *path, int flags) __attribute__((alias("__open_2")));
int __openat64_2(int dirfd, const char *path, int flags) __attribute__((alias("__openat_2")));

/* Calls without a function of their own in libc; openat2's third argument begins with the flags. */
long syscall(long number, ...)
{
	long argument[6];
	va_list list;

	va_start(list, number);
	for (int i = 0; i < 6; i++)
		argument[i] = va_arg(list, long);
	va_end(list);
#ifdef SYS_openat2
	if (number == SYS_openat2) {
		unsigned long long flags = *(const unsigned long long *)argument[2];
		Kind kind = flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE ? CREATE : OPEN;
		if (refused(check_at(kind, (int)argument[0], (const char *)argument[1])))
			return -1;
	}
#endif
	pthread_once(&once, begin);
	return fault.syscall(number, argument[0], argument[1], argument[2], argument[3],
			     argument[4], argument[5]);
}

DIR *opendir(const char *path)
{
	if (refused(check_at(LIST, AT_FDCWD, path)))
		return NULL;
	pthread_once(&once, begin);
	return fault.opendir(path);
}

DIR *fdopendir(int fd)
{
	if (refused(check_fd(LIST, fd)))
		return NULL;
	pthread_once(&once, begin);
	return fault.fdopendir(fd);
}

struct dirent *readdir(DIR *dir)
{
	if (refused(check_fd(LIST, dirfd(dir))))
		return NULL;
	pthread_once(&once, begin);
	return fault.readdir(dir);
}

struct dirent64 *readdir64(DIR *dir)
{
	return (struct dirent64 *)readdir(dir);
}

/* --- reading ---------------------------------------------------------------------------------- */

ssize_t read(int fd, void *data, size_t length)
{
	int verdict = check_fd(READ, fd);

	if (refused(verdict))
		return -1;
	pthread_once(&once, begin);
	return fault.syscall(SYS_read, (long)fd, data, shortened(verdict, length));
}

ssize_t pread(int fd, void *data, size_t length, off_t offset)
{
	int verdict = check_fd(READ, fd);

	if (refused(verdict))
		return -1;
	pthread_once(&once, begin);
	return fault.syscall(SYS_pread64, (long)fd, data, shortened(verdict, length), offset);
}

ssize_t __read_chk(int fd, void *data, size_t length, size_t room);
ssize_t __read_chk(int fd, void *data, size_t length, size_t room)
{
	if (length > room)
		abort();
	return read(fd, data, length);
}

ssize_t __pread_chk(int fd, void *data, size_t length, off_t offset, size_t room);
ssize_t __pread_chk(int fd, void *data, size_t length, off_t offset, size_t room)
{
	if (length > room)
		abort();
	return pread(fd, data, length, offset);
}

ssize_t pread64(int fd, void *data, size_t length, off64_t offset) __attribute__((alias("pread")));
ssize_t __pread64_chk(int fd, void *data, size_t length, off64_t offset, size_t room)
	__attribute__((alias("__pread_chk")));

void *mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset)
{
	if (fd >= 0 && !(flags & MAP_ANONYMOUS) && refused(check_fd(MAP, fd)))
		return MAP_FAILED;
	pthread_once(&once, begin);
	return (void *)fault.syscall(SYS_mmap, at, length, (long)protection, (long)flags, (long)fd,
				     offset);
}

void *mmap64(void *at, size_t length, int protection, int flags, int fd, off64_t offset)
	__attribute__((alias("mmap")));

int fstatat(int dirfd, const char *path, struct stat *out, int flags)
{
	if (refused(*path || !(flags & AT_EMPTY_PATH) ? check_at(STAT, dirfd, path)
						      : check_fd(STAT, dirfd)))
		return -1;
	pthread_once(&once, begin);
	return (int)fault.syscall(SYS_newfstatat, (long)dirfd, path, out, (long)flags);
}

int stat(const char *path, struct stat *out)
{
	return fstatat(AT_FDCWD, path, out, 0);
}

int lstat(const char *path, struct stat *out)
{
	return fstatat(AT_FDCWD, path, out, AT_SYMLINK_NOFOLLOW);
}

int fstatat64(int dirfd, const char *path, struct stat64 *out, int flags)
{
	return fstatat(dirfd, path, (struct stat *)out, flags);
}

int stat64(const char *path, struct stat64 *out)
{
	return fstatat(AT_FDCWD, path, (struct stat *)out, 0);
}

int lstat64(const char *path, struct stat64 *out)
{
	return fstatat(AT_FDCWD, path, (struct stat *)out, AT_SYMLINK_NOFOLLOW);
}

int statx(int dirfd, const char *path, int flags, unsigned mask, struct statx *out)
{
	if (refused(*path ? check_at(STAT, dirfd, path) : check_fd(STAT, dirfd)))
		return -1;
	pthread_once(&once, begin);
	return (int)fault.syscall(SYS_statx, (long)dirfd, path, (long)flags, (long)mask, out);
}

int access(const char *path, int mode)
{
	return faccessat(AT_FDCWD, path, mode, 0);
}

int faccessat(int dirfd, const char *path, int mode, int flags)
{
	struct stat st;

	if (refused(check_at(STAT, dirfd, path)))
		return -1;
	pthread_once(&once, begin);
	if (flags & AT_SYMLINK_NOFOLLOW)
		return (int)fault.syscall(SYS_newfstatat, (long)dirfd, path, &st, (long)flags);
	return (int)fault.syscall(SYS_faccessat, (long)dirfd, path, (long)mode);
}

/* --- writing ---------------------------------------------------------------------------------- */

ssize_t write(int fd, const void *data, size_t length)
{
	int verdict = check_fd(WRITE, fd);

	if (refused(verdict))
		return -1;
	pthread_once(&once, begin);
	return fault.syscall(SYS_write, (long)fd, data, shortened(verdict, length));
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t offset)
{
	int verdict = check_fd(WRITE, fd);

	if (refused(verdict))
		return -1;
	pthread_once(&once, begin);
	return fault.syscall(SYS_pwrite64, (long)fd, data, shortened(verdict, length), offset);
}

ssize_t writev(int fd, const struct iovec *pieces, int count)
{
	int verdict = check_fd(WRITE, fd);

	if (refused(verdict))
		return -1;
	pthread_once(&once, begin);
	return fault.syscall(SYS_writev, (long)fd, pieces,
			     (long)(verdict == SHORT && count > 1 ? count / 2 : count));
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset)
	__attribute__((alias("pwrite")));

static int sync_by(long number, int fd)
{
	if (refused(check_fd(SYNC, fd)))
		return -1;
	pthread_once(&once, begin);
	return fault.no_sync ? 0 : (int)fault.syscall(number, (long)fd);
}

int fsync(int fd)
{
	return sync_by(SYS_fsync, fd);
}

int fdatasync(int fd)
{
	return sync_by(SYS_fdatasync, fd);
}

int syncfs(int fd)
{
	return sync_by(SYS_syncfs, fd);
}

int sync_file_range(int fd, off64_t offset, off64_t length, unsigned flags)
{
	pthread_once(&once, begin);
	return fault.no_sync ? 0
			     : (int)fault.syscall(SYS_sync_file_range, (long)fd, offset, length,
						  (long)flags);
}

int ftruncate(int fd, off_t length)
{
	if (refused(check_fd(TRUNCATE, fd)))
		return -1;
	pthread_once(&once, begin);
	return (int)fault.syscall(SYS_ftruncate, (long)fd, length);
}

int fallocate(int fd, int mode, off_t offset, off_t length)
{
	if (refused(check_fd(TRUNCATE, fd)))
		return -1;
	pthread_once(&once, begin);
	return (int)fault.syscall(SYS_fallocate, (long)fd, (long)mode, offset, length);
}

int posix_fallocate(int fd, off_t offset, off_t length)
{
	return fallocate(fd, 0, offset, length) < 0 ? errno : 0;
}

int ftruncate64(int fd, off64_t length) __attribute__((alias("ftruncate")));
int fallocate64(int fd, int mode, off64_t offset, off64_t length)
	__attribute__((alias("fallocate")));
int posix_fallocate64(int fd, off64_t offset, off64_t length)
	__attribute__((alias("posix_fallocate")));

int ioctl(int fd, unsigned long request, ...)
{
	va_list list;

	va_start(list, request);
	void *argument = va_arg(list, void *);
	va_end(list);
	if ((request == FICLONE || request == FICLONERANGE) && refused(check_fd(CLONE, fd)))
		return -1;
	pthread_once(&once, begin);
	return (int)fault.syscall(SYS_ioctl, (long)fd, request, argument);
}

ssize_t copy_file_range(int from, off64_t *from_offset, int to, off64_t *to_offset, size_t length,
			unsigned flags)
{
	int verdict = check_fd(CLONE, to);

	if (refused(verdict))
		return -1;
	pthread_once(&once, begin);
	return fault.syscall(SYS_copy_file_range, (long)from, from_offset, (long)to, to_offset,
			     shortened(verdict, length), (long)flags);
}

/* --- names ------------------------------------------------------------------------------------ */

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
	if (refused(check_two(from_dir, from, to_dir, to)))
		return -1;
	pthread_once(&once, begin);
	return (int)fault.syscall(SYS_renameat2, (long)from_dir, from, (long)to_dir, to,
				  (long)flags);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	return renameat2(from_dir, from, to_dir, to, 0);
}

int rename(const char *from, const char *to)
{
	return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
	if (refused(check_two(from_dir, from, to_dir, to)))
		return -1;
	pthread_once(&once, begin);
	return (int)fault.syscall(SYS_linkat, (long)from_dir, from, (long)to_dir, to, (long)flags);
}

int link(const char *from, const char *to)
{
	return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int symlinkat(const char *target, int dirfd, const char *path)
{
	if (refused(check_at(SYMLINK, dirfd, path)))
		return -1;
	pthread_once(&once, begin);
	return (int)fault.syscall(SYS_symlinkat, target, (long)dirfd, path);
}

int symlink(const char *target, const char *path)
{
	return symlinkat(target, AT_FDCWD, path);
}

int unlinkat(int dirfd, const char *path, int flags)
{
	if (refused(check_at(UNLINK, dirfd, path)))
		return -1;
	pthread_once(&once, begin);
	return (int)fault.syscall(SYS_unlinkat, (long)dirfd, path, (long)flags);
}

int unlink(const char *path)
{
	return unlinkat(AT_FDCWD, path, 0);
}

int rmdir(const char *path)
{
	return unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

int mkdirat(int dirfd, const char *path, mode_t mode)
{
	if (refused(check_at(MKDIR, dirfd, path)))
		return -1;
	pthread_once(&once, begin);
	return (int)fault.syscall(SYS_mkdirat, (long)dirfd, path, (long)mode);
}

int mkdir(const char *path, mode_t mode)
{
	return mkdirat(AT_FDCWD, path, mode);
}

int fchmod(int fd, mode_t mode)
{
	if (refused(check_fd(MODE, fd)))
		return -1;
	pthread_once(&once, begin);
	return (int)fault.syscall(SYS_fchmod, (long)fd, (long)mode);
}

int fchmodat(int dirfd, const char *path, mode_t mode, int flags)
{
	if (refused(check_at(MODE, dirfd, path)))
		return -1;
	pthread_once(&once, begin);
	return (int)fault.syscall(SYS_fchmodat, (long)dirfd, path, (long)mode);
}

int futimens(int fd, const struct timespec times[2])
{
	if (refused(check_fd(MODE, fd)))
		return -1;
	pthread_once(&once, begin);
	return (int)fault.syscall(SYS_utimensat, (long)fd, NULL, times, 0L);
}

int utimensat(int dirfd, const char *path, const struct timespec times[2], int flags)
{
	if (refused(check_at(MODE, dirfd, path)))
		return -1;
	pthread_once(&once, begin);
	return (int)fault.syscall(SYS_utimensat, (long)dirfd, path, times, (long)flags);
}
