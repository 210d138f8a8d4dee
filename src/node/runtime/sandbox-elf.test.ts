import { describe, expect, test } from 'vitest'
import { sandboxProgram } from './sandbox-elf.ts'

const HEADERS_BYTES = 120

describe('the sandbox program', () => {
  for (const [architecture, machine] of [
    ['amd64', 62],
    ['arm64', 183],
  ] as const) {
    test(`is a small executable for ${architecture} that is loaded whole and starts behind its headers`, () => {
      const program = sandboxProgram(architecture)
      expect(program.length).toBeLessThan(256)
      expect(program.toString('latin1', 1, 4)).toBe('ELF')
      expect(program.readUInt16LE(16)).toBe(2)
      expect(program.readUInt16LE(18)).toBe(machine)
      expect(program.readBigUInt64LE(24)).toBe(0x400000n + BigInt(HEADERS_BYTES))
      expect(program.readBigUInt64LE(64 + 32)).toBe(BigInt(program.length))
    })

    test(`waits for SIGINT and SIGTERM and ignores SIGCHLD on ${architecture}`, () => {
      const data = sandboxProgram(architecture).subarray(-40)
      expect(data.readBigUInt64LE(0)).toBe(1n)
      expect(data.readBigUInt64LE(32)).toBe(0x4002n)
    })
  }

  test('has exactly these instructions for arm64', () => {
    const code = sandboxProgram('arm64').subarray(HEADERS_BYTES, -40)
    const instructions = Array.from({ length: code.length / 4 }, (_, index) =>
      code.readUInt32LE(index * 4).toString(16),
    )
    expect(instructions.join(' ')).toBe(
      'd2800220 10000261 d2800002 d2800103 d28010c8 d4000001 d2800000 100002a1 d2800002 d28010e8 d4000001 ' +
        '10000220 d2800001 d2800002 d2801128 d4000001 b7ffff60 d2800000 d2800bc8 d4000001',
    )
  })

  test('has exactly these bytes of code for amd64', () => {
    expect(sandboxProgram('amd64').subarray(HEADERS_BYTES, -40).toString('hex')).toBe(
      'bf11000000beba00400031d241ba08000000b80d0000000f0531ffbeda004000b80e0000000f05' +
        'bfda00400031f6b8800000000f0585c078ee31ffb8e70000000f05',
    )
  })
})
