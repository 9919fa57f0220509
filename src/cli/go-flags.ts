import type { Command } from 'commander'
import { nearestName } from '../nearest-name.ts'
import { usageError } from './errors.ts'

/**
 * Rewrites arguments in Go's manner into the form commander takes: `-flag`, `--flag`, `-flag=value` and `-flag value`
 * mean the same, and a flag without a value may be given one (`-json=false`). What follows a flag that takes a value
 * is its value, even if it starts with a dash; what follows `--` is left alone. Throws CLI_USAGE for an unknown
 * command or flag, with the nearest name.
 */
export function normalizeArguments(program: Command, args: readonly string[]): string[] {
  const [first, ...rest] = args
  if (first === undefined || first.startsWith('-')) return normalizeFlags(program, args)
  if (first === 'help') return [...args]
  const command = program.commands.find((candidate) => candidate.name() === first)
  if (command === undefined) throw unknownCommand(program, first)
  return [first, ...normalizeFlags(command, rest)]
}

function unknownCommand(program: Command, name: string): Error {
  const near = nearestName(
    name,
    program.commands.map((command) => command.name()),
  )
  return usageError(`unknown command: ${name}`, near === undefined ? 'replicate --help' : `replicate ${near}`)
}

function normalizeFlags(command: Command, args: readonly string[]): string[] {
  const flags = flagsOf(command)
  const result: string[] = []
  const queue = [...args]
  for (let arg = queue.shift(); arg !== undefined; arg = queue.shift()) {
    if (arg === '--') return [...result, arg, ...queue]
    const match = /^--?(?<name>[A-Za-z][\w-]*)(?:=(?<value>.*))?$/s.exec(arg)
    if (match === null) {
      result.push(arg)
      continue
    }
    const { name = '', value } = match.groups ?? {}
    const flag = flags.get(name)
    if (flag === undefined) throw unknownFlag(command, name, flags)
    result.push(...(flag.hasValue ? valueFlag(flag, value, queue) : booleanFlag(flag, value)))
  }
  return result
}

interface Flag {
  /** As commander knows it. */
  canonical: string
  hasValue: boolean
}

function flagsOf(command: Command): Map<string, Flag> {
  const help: Flag = { canonical: '--help', hasValue: false }
  const flags = new Map<string, Flag>([
    ['help', help],
    ['h', help],
  ])
  for (const option of command.options) {
    const flag = { canonical: option.long ?? option.short ?? '', hasValue: option.required }
    for (const form of [option.long, option.short]) {
      if (form !== undefined) flags.set(form.replace(/^-+/, ''), flag)
    }
  }
  return flags
}

function valueFlag(flag: Flag, value: string | undefined, queue: string[]): string[] {
  const given = value ?? queue.shift()
  return given === undefined ? [flag.canonical] : [flag.canonical, given]
}

function booleanFlag(flag: Flag, value: string | undefined): string[] {
  if (value === undefined || ['true', 't', '1'].includes(value.toLowerCase())) return [flag.canonical]
  if (['false', 'f', '0'].includes(value.toLowerCase())) return []
  throw usageError(`not true or false: ${flag.canonical}=${value}`)
}

function unknownFlag(command: Command, name: string, flags: Map<string, Flag>): Error {
  const near = nearestName(name, flags.keys())
  const path = command.parent === null ? command.name() : `${command.parent.name()} ${command.name()}`
  return usageError(`unknown flag: -${name}: ${path}`, near === undefined ? `${path} --help` : `-${near}`)
}
