/**
 * The program of every sandbox: a static Linux executable of a few hundred bytes, put together here instruction by
 * instruction, for x86-64 and arm64. It reaps its children, ends at once on SIGTERM or SIGINT, and sleeps otherwise.
 *
 * As the first process of its namespace it gets no signal by default, so it blocks both and waits for them; ignoring
 * SIGCHLD makes the kernel reap what it inherits:
 *
 *   rt_sigaction(SIGCHLD, { SIG_IGN }, NULL, 8)
 *   rt_sigprocmask(SIG_BLOCK, { SIGINT, SIGTERM }, NULL, 8)
 *   do result = rt_sigtimedwait({ SIGINT, SIGTERM }, NULL, NULL, 8) while (result < 0)
 *   exit_group(0)
 */

import { assert } from '../../base/assert.ts'

export type Architecture = 'amd64' | 'arm64'

const LOAD_ADDRESS = 0x400000
const ELF_HEADER_BYTES = 64
const PROGRAM_HEADER_BYTES = 56
const CODE_OFFSET = ELF_HEADER_BYTES + PROGRAM_HEADER_BYTES
/** The largest page size of either architecture, in bytes: a segment must be aligned to it. */
const PAGE_BYTES = 0x10000

/** `struct sigaction` of the kernel: handler, flags, restorer, mask; all but the handler stay 0. */
const SIGACTION_BYTES = 32
const SIGNAL_SET_BYTES = 8
const SIG_IGN = 1
const SIGINT = 2
const SIGTERM = 15
const SIGCHLD = 17

export function sandboxProgram(architecture: Architecture): Buffer {
  const code = architecture === 'amd64' ? codeOfAmd64() : codeOfArm64()
  assert(code.length === (architecture === 'amd64' ? CODE_BYTES_AMD64 : CODE_INSTRUCTIONS_ARM64 * 4), 'code length')
  return Buffer.concat([elfHeader(architecture), programHeader(code.length + DATA.length), code, DATA])
}

const DATA = data()

/** What the code points at: the sigaction, then the signal set. It follows the code directly. */
function data(): Buffer {
  const bytes = Buffer.alloc(SIGACTION_BYTES + SIGNAL_SET_BYTES)
  bytes.writeUInt32LE(SIG_IGN, 0)
  bytes.writeUInt32LE((1 << (SIGINT - 1)) | (1 << (SIGTERM - 1)), SIGACTION_BYTES)
  return bytes
}

function elfHeader(architecture: Architecture): Buffer {
  const header = Buffer.alloc(ELF_HEADER_BYTES)
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]) // magic; 64 bits, little-endian, version 1
  header.writeUInt16LE(2, 16) // an executable at a fixed address
  header.writeUInt16LE(architecture === 'amd64' ? 62 : 183, 18)
  header.writeUInt32LE(1, 20)
  header.writeBigUInt64LE(BigInt(LOAD_ADDRESS + CODE_OFFSET), 24) // entry point
  header.writeBigUInt64LE(BigInt(ELF_HEADER_BYTES), 32) // where the program header is
  header.writeUInt16LE(ELF_HEADER_BYTES, 52)
  header.writeUInt16LE(PROGRAM_HEADER_BYTES, 54)
  header.writeUInt16LE(1, 56) // one program header
  return header
}

/** One segment: the whole file, readable and executable. */
function programHeader(contentBytes: number): Buffer {
  const header = Buffer.alloc(PROGRAM_HEADER_BYTES)
  const fileBytes = BigInt(CODE_OFFSET + contentBytes)
  header.writeUInt32LE(1, 0)
  header.writeUInt32LE(5, 4)
  header.writeBigUInt64LE(BigInt(LOAD_ADDRESS), 16)
  header.writeBigUInt64LE(BigInt(LOAD_ADDRESS), 24)
  header.writeBigUInt64LE(fileBytes, 32)
  header.writeBigUInt64LE(fileBytes, 40)
  header.writeBigUInt64LE(BigInt(PAGE_BYTES), 48)
  return header
}

const CODE_BYTES_AMD64 = 66

function codeOfAmd64(): Buffer {
  const sigaction = LOAD_ADDRESS + CODE_OFFSET + CODE_BYTES_AMD64
  const signalSet = sigaction + SIGACTION_BYTES
  const syscall = [0x0f, 0x05]
  return Buffer.from([
    ...[0xbf, ...word(SIGCHLD)], // mov edi, SIGCHLD
    ...[0xbe, ...word(sigaction)], // mov esi, sigaction
    ...[0x31, 0xd2], // xor edx, edx; stays 0
    ...[0x41, 0xba, ...word(SIGNAL_SET_BYTES)], // mov r10d, 8; stays 8
    ...[0xb8, ...word(13), ...syscall], // rt_sigaction
    ...[0x31, 0xff], // xor edi, edi
    ...[0xbe, ...word(signalSet)], // mov esi, signalSet
    ...[0xb8, ...word(14), ...syscall], // rt_sigprocmask
    ...[0xbf, ...word(signalSet)], // wait: mov edi, signalSet
    ...[0x31, 0xf6], // xor esi, esi
    ...[0xb8, ...word(128), ...syscall], // rt_sigtimedwait
    ...[0x85, 0xc0], // test eax, eax
    ...[0x78, 0xee], // js wait
    ...[0x31, 0xff], // xor edi, edi
    ...[0xb8, ...word(231), ...syscall], // exit_group
  ])
}

function word(value: number): readonly number[] {
  return [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24]
}

const CODE_INSTRUCTIONS_ARM64 = 20

function codeOfArm64(): Buffer {
  const sigaction = CODE_INSTRUCTIONS_ARM64 * 4
  const signalSet = sigaction + SIGACTION_BYTES
  const call = (number: number) => [moveNumber(8, number), SUPERVISOR_CALL]
  const instructions = [
    ...[moveNumber(0, SIGCHLD), addressOf(1, sigaction - 4), moveNumber(2, 0), moveNumber(3, SIGNAL_SET_BYTES)],
    ...call(134), // rt_sigaction
    ...[moveNumber(0, 0), addressOf(1, signalSet - 7 * 4), moveNumber(2, 0)],
    ...call(135), // rt_sigprocmask
    ...[addressOf(0, signalSet - 11 * 4), moveNumber(1, 0), moveNumber(2, 0)], // wait:
    ...call(137), // rt_sigtimedwait
    branchIfNegative(0, -5),
    moveNumber(0, 0),
    ...call(94), // exit_group
  ]
  const bytes = Buffer.alloc(instructions.length * 4)
  for (const [index, instruction] of instructions.entries()) bytes.writeUInt32LE(instruction >>> 0, index * 4)
  return bytes
}

const SUPERVISOR_CALL = 0xd4000001

/** `movz x<register>, #number` */
function moveNumber(register: number, number: number): number {
  return 0xd2800000 | (number << 5) | register
}

/** `adr x<register>, <here + distance>`, in bytes. */
function addressOf(register: number, distance: number): number {
  return 0x10000000 | ((distance & 3) << 29) | ((distance >> 2) << 5) | register
}

/** `tbnz x<register>, #63, <here + instructions>`: jumps when the sign bit is set. */
function branchIfNegative(register: number, instructions: number): number {
  return 0xb7f80000 | ((instructions & 0x3fff) << 5) | register
}
