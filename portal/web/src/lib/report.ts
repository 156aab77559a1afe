// The doctor's report as Markdown.

import type { Doctor } from '../api/types';
import { count, dateTime, duration, visible } from './format';
import { parseTime } from './moment';

const cell = (text: string) => visible(text).replaceAll('|', '\\|').replaceAll('\n', ' ');

export function report(doctor: Doctor): string {
  const { scope } = doctor;
  return [
    '# What Azure would make of this telemetry',
    '',
    `${dateTime(parseTime(scope.range.from))} – ${dateTime(parseTime(scope.range.to))}: ${count(doctor.accepted)} items accepted, ${count(doctor.refused)} refused, ${count(doctor.cut)} values cut, ${count(doctor.throttled)} requests answered 429${doctor.visibleAfterMs === null ? '' : `, visible after ${duration(doctor.visibleAfterMs)}`}.`,
    '',
    '## Findings',
    '',
    ...(doctor.findings.length === 0 ? ['None.'] : ['| Finding | In Azure | Items | Where |', '|---|---|---|---|', ...doctor.findings.map((one) => `| ${cell(one.title)} | ${one.kind} | ${count(one.items)} | ${cell(one.detail)} |`)]),
    '',
    '## Passed',
    '',
    ...doctor.passed.map((check) => `- ${cell(check.title)}: ${cell(check.detail)}`),
    '',
  ].join('\n');
}
