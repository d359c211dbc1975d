// What a look at one thing showed: how it is, what was seen, and what to do about it.

export type DiagnosisStatus = 'fine' | 'warning' | 'broken' | 'not-checked';

export interface Diagnosis {
  /** What was looked at, in a few words. */
  name: string;
  status: DiagnosisStatus;
  seen: string;
  /** What to do, with the command or the YAML. Absent where nothing is to be done. */
  remedy?: string;
}

export const fine = (name: string, seen: string): Diagnosis => ({ name, status: 'fine', seen });

export const warning = (name: string, seen: string, remedy: string): Diagnosis => ({
  name,
  status: 'warning',
  seen,
  remedy,
});

export const broken = (name: string, seen: string, remedy: string): Diagnosis => ({
  name,
  status: 'broken',
  seen,
  remedy,
});

export const notChecked = (name: string, why: string): Diagnosis => ({
  name,
  status: 'not-checked',
  seen: why,
});
