/**
 * A text box as the note on a component or a group: written down when it is left, and when it goes with what was typed in it.
 * What a note is, is marks.ts's.
 */
import type { Attachment } from 'svelte/attachments';
import { noted } from '../../circuit/marks.ts';
import type { CircuitDesk } from '../../state/circuit-marks.svelte.ts';

/** `subject`: a component's key, or `group N`. */
export function noteBox(desk: CircuitDesk, subject: string): Attachment<HTMLTextAreaElement> {
  return (box) => {
    let isTouched = false;
    const touch = () => {
      isTouched = true;
    };
    const write = () => {
      if (!isTouched) return;
      isTouched = false;
      desk.change(noted(desk.marks, subject, box.value), 'note');
    };
    box.addEventListener('input', touch);
    box.addEventListener('change', write);
    window.addEventListener('pagehide', write);
    return () => {
      box.removeEventListener('input', touch);
      box.removeEventListener('change', write);
      window.removeEventListener('pagehide', write);
      write();
    };
  };
}
