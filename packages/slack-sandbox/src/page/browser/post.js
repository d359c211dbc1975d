// @ts-check
// Sends what the person did to the emulator, and tells them when it could not be sent.
import { complain } from './panes/toasts.js';

/**
 * @param {string} path
 * @param {Record<string, unknown>} body
 * @returns {Promise<boolean>} whether the emulator accepted it
 */
export async function post(path, body) {
  try {
    const response = await fetch(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const answer = await response.json();
    if (!answer.ok) complain(`Slack refused that: ${answer.error ?? `HTTP ${response.status}`}.`);
    return answer.ok === true;
  } catch {
    complain('The workspace does not answer. Check that the demo is still running, then try again.');
    return false;
  }
}
