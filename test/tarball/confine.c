/* confine KERNEL COMMAND...: runs the command as an older kernel, or a container engine of its time, would let it run. x86-64 only.
 *
 * linux-3.17, linux-3.16: every system call that came later is answered by ENOSYS, and uname says so.
 * docker-17.09: every system call that came after Linux 3.17 is answered by EPERM, as the seccomp profiles of that time do; uname is the machine's.
 *
 * Of Linux 3.17 memfd_create, 319, is refused as well. The numbers of system calls count up with the releases: https://github.com/torvalds/linux/blob/v3.17/arch/x86/syscalls/syscall_64.tbl. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <unistd.h>

struct kernel {
	const char *name;
	const char *release; /* NULL: the machine's */
	unsigned int last;   /* the number of its last system call */
	int error;
};

static const struct kernel kernels[] = {
	{ "linux-3.17", "3.17.0", 318 /* getrandom */, ENOSYS },
	{ "linux-3.16", "3.16.0", 316 /* renameat2 */, ENOSYS },
	{ "docker-17.09", NULL, 318, EPERM },
};

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "confine: %s: %s\n", what, strerror(errno));
	exit(126);
}

/* Returns the descriptor on which calls of uname are told. */
static int confine(const struct kernel *kernel)
{
	unsigned int uname = kernel->release ? SECCOMP_RET_USER_NOTIF : SECCOMP_RET_ALLOW;
	struct sock_filter rules[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_uname, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, uname),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, kernel->last, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | kernel->error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = sizeof rules / sizeof *rules, .filter = rules };
	int listener;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		fail("no_new_privs");
	listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
	if (listener < 0)
		fail("seccomp");
	return listener;
}

static void send_descriptor(int channel, int descriptor)
{
	char control[CMSG_SPACE(sizeof descriptor)] = { 0 }, byte = 0;
	struct iovec data = { &byte, 1 };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof descriptor);
	memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
	if (sendmsg(channel, &message, 0) != 1)
		fail("sendmsg");
}

static int receive_descriptor(int channel)
{
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec data = { &byte, 1 };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
	int descriptor;

	if (recvmsg(channel, &message, 0) != 1 || !CMSG_FIRSTHDR(&message))
		exit(0); /* The command was not even started. */
	memcpy(&descriptor, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof descriptor);
	return descriptor;
}

/* Answers each call of uname until none is left that could call it. */
static void answer_uname(int listener, const char *release)
{
	struct seccomp_notif call;
	struct pollfd ready = { .fd = listener, .events = POLLIN };

	while (poll(&ready, 1, -1) > 0 && !(ready.revents & POLLHUP)) {
		struct seccomp_notif_resp answer = { 0 };
		struct utsname names;
		struct iovec here = { &names, sizeof names }, there = { 0, sizeof names };

		memset(&call, 0, sizeof call);
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call))
			continue;
		uname(&names);
		strcpy(names.release, release);
		there.iov_base = (void *)call.data.args[0];
		answer.id = call.id;
		if (process_vm_writev(call.pid, &here, 1, &there, 1, 0) != sizeof names)
			answer.error = -EFAULT;
		ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
	}
}

int main(int argc, char **argv)
{
	const struct kernel *kernel = NULL;
	int channel[2], listener;

	for (size_t i = 0; argc > 2 && i < sizeof kernels / sizeof *kernels; i++)
		if (!strcmp(kernels[i].name, argv[1]))
			kernel = &kernels[i];
	if (!kernel) {
		fputs("usage: confine linux-3.17|linux-3.16|docker-17.09 COMMAND...\n", stderr);
		return 126;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel))
		fail("socketpair");
	/* The command stays this process: its parent sees its signals and its end. */
	switch (kernel->release ? fork() : 1) {
	case -1:
		fail("fork");
	case 0:
		close(0), close(1), close(2), close(channel[1]);
		setsid();
		answer_uname(receive_descriptor(channel[0]), kernel->release);
		_exit(0);
	}
	if (kernel->release) {
		listener = confine(kernel);
		send_descriptor(channel[1], listener);
		close(listener);
	} else {
		confine(kernel);
	}
	execvp(argv[2], argv + 2);
	fail(argv[2]);
}
