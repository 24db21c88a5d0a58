/** The format of the help, and the text of its first page. */
import { Help, type HelpConfiguration, type Option } from 'commander';

export const HELP: HelpConfiguration = {
  /** An optional value follows after `=`: the next word would be a process id or a command. */
  optionTerm: ({ flags }: Option) => flags.replace(/ \[(.+)\]$/, '[=$1]'),
  /** Removes commander's "(preset: …)": each description already says what the option means without a value. */
  optionDescription: (option: Option) =>
    Help.prototype.optionDescription.call(new Help(), option).replace(/ \(preset: "[^"]*"\)/, ''),
};

export const OVERVIEW = `
Timer slack is how much later than asked Linux may fire a timer, so that it
wakes the CPU less often: 50 microseconds, unless somebody changed it. taut
changes it only with --optimize-timer-slack or a feature flag, and puts back
what was there when it ends.

Start here:
  taut doctor                         what can be measured and tuned here
  taut demo                           see it done to a small sample agent
  taut watch                          measure every agent; changes nothing
  taut status                         what a running taut has found

Then:
  taut watch --optimize-timer-slack   and set their timer slack to 1 ns
  taut run -- claude                  start one agent, and watch just that
  taut explain 4711                   why process 4711 is (not) an agent
  taut restore                        put back what a killed taut has left`;
