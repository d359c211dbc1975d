// What people read of a rehearsal: what is refused before what is not known, and one policy's words once.
import { describe, expect, it } from 'vitest';
import { type Rehearsed, rehearsalNotes, stoppedBefore } from '../../../src/domain/plan/rehearsal.ts';

const refused = (name: string): Rehearsed => ({
  path: `Deployment payments/${name}`,
  answer: 'refused',
  detail: `${name} is denied.`,
  workload: `Deployment/${name}`,
});
const unknown = (path: string, detail = 'The name is taken.'): Rehearsed => ({
  path,
  answer: 'unknown',
  detail,
});

describe('the notes of a plan', () => {
  it('are none where everything would be let through', () => {
    expect(rehearsalNotes([])).toEqual([]);
  });

  it('begin with what is refused, and group by cause what is not known', () => {
    const notes = rehearsalNotes([
      unknown('Secret payments/a'),
      refused('web'),
      unknown('Secret payments/b'),
      unknown('Secret payments/c', 'No answer.'),
    ]);
    expect(notes).toHaveLength(3);
    expect(notes[0]).toContain('web is denied.');
    expect(notes[1]).toContain(
      'Secret payments/a, Secret payments/b will be let through. The name is taken.',
    );
    expect(notes[2]).toContain('Secret payments/c will be let through. No answer.');
  });

  it('stay short, whatever the number of workloads', () => {
    const many = Array.from({ length: 200 }, (_, index) => refused(`web-${index}`));
    const [note = ''] = rehearsalNotes(many);
    expect(note).toContain('web-1 is denied.');
    expect(note).toContain('and 193 more');
    expect(note.length).toBeLessThan(600);
  });
});

describe('why a run stops', () => {
  it('offers to leave workloads out only where nothing else is refused', () => {
    expect(stoppedBefore([refused('web')])).toContain('go on without these workloads');
    const { workload: _, ...secret } = refused('x');
    expect(stoppedBefore([refused('web'), secret])).not.toContain('go on without');
  });
});
