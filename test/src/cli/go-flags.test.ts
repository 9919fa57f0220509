import { Command } from 'commander'
import { expect, test } from 'vitest'
import { normalizeArguments } from '../../../src/cli/go-flags.ts'

function normalize(...args: string[]): string[] {
  const program = new Command('replicate').version('1', '--version')
  program.command('verb').option('-o <path>').option('--txid <txid>').option('--json').argument('[path]')
  return normalizeArguments(program, args)
}

test('one dash and two are the same', () => {
  expect(normalize('verb', '-json', '-txid', '1')).toEqual(['verb', '--json', '--txid', '1'])
  expect(normalize('verb', '--json', '--txid', '1')).toEqual(['verb', '--json', '--txid', '1'])
  expect(normalize('verb', '--o', 'x')).toEqual(['verb', '-o', 'x'])
  expect(normalize('-version')).toEqual(['--version'])
})

test('an equals sign gives a value, empty ones and those with an equals sign included', () => {
  expect(normalize('verb', '-txid=1')).toEqual(['verb', '--txid', '1'])
  expect(normalize('verb', '-o=a=b\nc', '-txid=')).toEqual(['verb', '-o', 'a=b\nc', '--txid', ''])
})

test('what follows a flag with a value is its value, whatever it looks like', () => {
  expect(normalize('verb', '-o', '-json', '-json')).toEqual(['verb', '-o', '-json', '--json'])
  expect(normalize('verb', '-o', '--', '-json')).toEqual(['verb', '-o', '--', '--json'])
  expect(normalize('verb', '-txid', '-5')).toEqual(['verb', '--txid', '-5'])
})

test('flags stand before or after arguments', () => {
  expect(normalize('verb', 'path', '-json')).toEqual(['verb', 'path', '--json'])
  expect(normalize('verb', '-json', 'path')).toEqual(['verb', '--json', 'path'])
})

test('nothing after two dashes is a flag', () => {
  expect(normalize('verb', '-json', '--', '-txid', '--nonsense')).toEqual([
    'verb',
    '--json',
    '--',
    '-txid',
    '--nonsense',
  ])
})

test('negative numbers and a single dash are no flags', () => {
  expect(normalize('verb', '-5', '-')).toEqual(['verb', '-5', '-'])
})

test('a flag without a value may be given true or false', () => {
  expect(normalize('verb', '-json=true')).toEqual(['verb', '--json'])
  expect(normalize('verb', '-json=false')).toEqual(['verb'])
  expect(() => normalize('verb', '-json=maybe')).toThrow('not true or false')
})

test('an unknown flag or command names the nearest one', () => {
  expect(() => normalize('verb', '-jsn')).toThrow(
    expect.objectContaining({ code: 'CLI_USAGE', hint: '-json' }),
  )
  expect(() => normalize('vreb')).toThrow(
    expect.objectContaining({ code: 'CLI_USAGE', hint: 'replicate verb' }),
  )
})
