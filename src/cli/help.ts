/** The format of the help, and the text of its first page. */
import { Help, type HelpConfiguration, type Option } from 'commander';
import { KNOBS } from '../actuator/knobs.ts';

export const HELP: HelpConfiguration = {
  /** An optional value follows after `=`: the next word would be a process id or a command. */
  optionTerm: ({ flags }: Option) => flags.replace(/ \[(.+)\]$/, '[=$1]'),
  /** Removes commander's "(preset: …)": each description already says what the option means without a value. */
  optionDescription: (option: Option) =>
    Help.prototype.optionDescription.call(new Help(), option).replace(/ \(preset: "[^"]*"\)/, ''),
};

/** Breaks a paragraph into lines that fit a terminal. */
export function wrapped(paragraph: string): string {
  return paragraph.replaceAll(/(.{1,76})(?: |$)/g, '$1\n').trimEnd();
}

/** An example for each knob: a command line with its bare option, and what that comes to. */
export function tuningExamples(column: number): string {
  const examples = KNOBS.map((knob) => {
    const line = `  taut watch --${knob.option}`;
    return `${line.padEnd(column - 1)} and set their ${knob.title} to ${knob.format(knob.defaultTarget)}`;
  });
  return examples.join('\n');
}

const ABOUT = KNOBS.map(({ about, option }) =>
  wrapped(
    `${about} taut changes it only with --${option} or a feature flag, and puts back what was there when it ends.`,
  ),
);

export const OVERVIEW = `
${ABOUT.join('\n\n')}

Start here:
  taut doctor                         what can be measured and tuned here
  taut demo                           see it done to a small sample agent
  taut watch                          measure every agent; changes nothing
  taut status                         what a running taut has found

Then:
${tuningExamples(38)}
  taut run -- claude                  start one agent, and watch just that
  taut explain 4711                   why process 4711 is (not) an agent
  taut restore                        put back what a killed taut has left`;
