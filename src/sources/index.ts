// The alert sources, each served at POST /hooks/<name> once it has a secret.
import type { AlertSource } from '../contracts/alert-source.ts';
import { gitguardian } from './gitguardian.ts';
import { report } from './report.ts';

export const sources: AlertSource[] = [gitguardian, report];
