# SPDX-License-Identifier: GPL-2.0-only
"""Puts a VLAN tag beside each frame that an interface sends, as a VLAN device on a card with offload does.

    with pushed(host, "c0", 100):       # in front of programs that are attached later
        ...

Written out as instructions: the kernels of CI machines often lack 8021q, and act_vlan comes behind tcx.
"""
import contextlib
import ctypes
import os
import platform
import socket
import struct

BPF_PROG_LOAD, BPF_LINK_CREATE = 5, 28
BPF_PROG_TYPE_SCHED_CLS, BPF_TCX_EGRESS = 3, 47
SYS_BPF = {"x86_64": 321, "aarch64": 280}.get(platform.machine())
FUNC_SKB_VLAN_PUSH = 18
ETH_P_8021Q = 0x8100

_libc = ctypes.CDLL(None, use_errno=True)


def _bpf(command, attributes):
    buffer = ctypes.create_string_buffer(attributes, len(attributes))
    fd = _libc.syscall(SYS_BPF, command, buffer, len(attributes))
    if fd < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return fd


def _insn(code, dst=0, imm=0):
    return struct.pack("=BBhi", code, dst, 0, imm)


def _load(tci):
    """r2 = ETH_P_8021Q, on the wire's order; r3 = tci; bpf_skb_vlan_push(r1, r2, r3); return TCX_NEXT"""
    program = (_insn(0xb7, 2, socket.htons(ETH_P_8021Q)) + _insn(0xb7, 3, tci) + _insn(0x85, 0, FUNC_SKB_VLAN_PUSH)
               + _insn(0xb7, 0, -1) + _insn(0x95))
    insns, gpl = ctypes.create_string_buffer(program), ctypes.create_string_buffer(b"GPL")
    return _bpf(BPF_PROG_LOAD, struct.pack("=IIQQIIQII16s", BPF_PROG_TYPE_SCHED_CLS, len(program) // 8,
                                           ctypes.addressof(insns), ctypes.addressof(gpl), 0, 0, 0, 0, 0, b"push_tag"))


@contextlib.contextmanager
def pushed(host, interface, tci):
    """Raises OSError where the kernel has no tcx (before 6.6)."""
    program = _load(tci)
    try:
        with host.inside():
            link = _bpf(BPF_LINK_CREATE, struct.pack("=IIIIIIQ", program, socket.if_nametoindex(interface),
                                                     BPF_TCX_EGRESS, 0, 0, 0, 0))
    finally:
        os.close(program)
    try:
        yield
    finally:
        os.close(link)
