/** Output of Lynis as untrusted text, and the hardening page with any content. */

import { describe, expect, it } from 'vitest';
import { distributionOf } from '../../../../src/core/domain/dockerd/install-hints.ts';
import { evaluate } from '../../../../src/features/audit/domain/evaluate.ts';
import { FIXES } from '../../../../src/features/audit/domain/hardening/hardening.ts';
import { lynisWords, parseLynis } from '../../../../src/features/audit/domain/lynis.ts';
import { renderHardenReport } from '../../../../src/features/audit/domain/report/html-harden.ts';
import { auditHost } from '../../../../src/features/audit/domain/report/report.ts';
import { raisingCommand } from '../../../../src/features/audit/domain/report/report-command.ts';
import { altered } from '../support/audit-facts.ts';

const LINES = [
  'lynis_version=3.1.4',
  'warning[]=PKGS-7388|No security\u001b[2J repository|-|-|',
  'suggestion[]=BANN-7126|Add a banner|-|-|',
  "suggestion[]=NETW-3200|Determine if protocol 'sctp' is really needed on this system|-|-|",
  'suggestion[]=__proto__|x|-|-|',
  'details[]=SSH-7408|sshd|desc:x;field:X11Forwarding;prefval:NO;value:YES;|',
  'details[]=SSH-7408|sshd|desc:x;field:constructor;prefval:NO;value:YES;|',
  'details[]=SSH-7408|sshd|desc:x;field:MaxAuthTries;prefval:3;value:4;|',
  'details[]=SSH-7408|sshd|desc:x;field:AllowTcpForwarding;prefval:NO;value:YES;|',
  'details[]=KRNL-6000|sysctl|desc:x;field:net.ipv4.conf.all.forwarding;prefval:0;value:1;|',
  'details[]=KRNL-6000|sysctl|desc:x;field:net.ipv4.conf.all.log_martians;prefval:1;value:0;|',
  'details[]=KRNL-6000|sysctl|desc:x;field:kernel.kptr_restrict;prefval:2;value:0;|',
  'session_timeout_enabled=0',
  'hardening_index=61',
];
/** A container: it shares the host's kernel. */
const facts = altered('fresh-trixie', {
  sections: { container: 'lxc', sysctl: 'net/ipv4/conf/all/log_martians:0\nkernel/kptr_restrict:0', 'issue-net': '' },
});
const results = evaluate(facts);

describe('the report of Lynis', () => {
  it('names what raises the index and the host lacks, and never what breaks Docker', () => {
    const report = parseLynis(['whole', ...LINES].join('\n'), results);
    expect(report).toEqual({
      index: 61,
      version: '3.1.4',
      warnings: [{ test: 'PKGS-7388', text: expect.not.stringContaining('\u001b') }],
      suggestions: 3,
      fixes: [
        'banner',
        'kernel-network',
        'session-timeout',
        'sshd',
        'sshd-forwarding',
        'sshd-remote-forwarding',
        'sshd-x11',
      ],
    });
    expect(lynisWords(report)).toBe('Lynis 3.1.4: index 61, 1 warning, 3 suggestions');
    const host = auditHost("web's", facts);
    expect(raisingCommand(['sshd', 'sshd-x11'], host)).toBe(
      `docker-tls harden 'web'\\''s' --only sshd,sshd-x11 --max-auth-tries 3`,
    );
    expect(raisingCommand(['umask'], host)).toBe(`docker-tls harden 'web'\\''s' --only umask --accept umask`);
  });

  it.each([
    ['absent', expect.toSay('not-installed', 'install lynis')],
    ['failed', expect.toSay('no-index')],
    ['whole\nhardening_index=999', expect.toSay('no-index')],
    ['whole\nhardening_index=<b>7', expect.toSay('no-index')],
    ['', expect.toSay('no-index')],
  ])('is none of %j', (output, words) => {
    expect(lynisWords(parseLynis(output, results))).toEqual(words);
  });

  it('says how the distribution installs it', () => {
    const words = (osRelease: string) => lynisWords(parseLynis('absent', results, distributionOf(osRelease)));
    expect(words('ID=debian\n')).toMatch(/: apt-get install -y lynis$/);
    expect(words('ID=fedora\n')).toMatch(/: dnf install -y lynis$/);
    expect(words('ID=alpine\n')).toMatch(/: apk add lynis$/);
  });
});

describe('the page of a hardening', () => {
  const evil = '<script>alert(1)</script>';
  const page = (error?: string) =>
    renderHardenReport({
      createdAt: '2026-11-26T12:00:00.000Z',
      version: '0.1.0',
      benchmark: '1.8',
      vulnerabilities: '2026-11-26',
      who: `ops@${evil}`,
      leftOut: FIXES.filter(({ name }) => name === 'userns-remap'),
      hosts: [
        {
          name: 'web',
          before: { ...auditHost('web', facts), lynis: parseLynis(['whole', ...LINES].join('\n'), results) },
          after: {
            ...auditHost('web', altered('harden-trixie', {})),
            lynis: { index: 73, version: evil, warnings: [], suggestions: 0, fixes: [] },
          },
          changes: [{ what: `kernel setting ${evil}`, reason: 'kernel-network' }],
          costs: ['sshd-x11: ssh -X shows no windows'],
          notes: [evil],
          error,
        },
      ],
    });

  it('says what changed, what it cost, what is left and why', () => {
    const text = page();
    expect(text).toSay('cis-docker-benchmark-known', '1.8', '2026-11-26');
    expect(text).toContain('Lynis hardening index: <b>61</b> before, <b>73</b> after.');
    expect(text).toSay('li-logins-logged-key', 'ssh.1', '/li');
    expect(text).toContain('ssh -X shows no windows');
    expect(text).toMatch(/benchmark 1\.8 that pass: <b>\d+ of \d+<\/b> before, <b>\d+ of \d+<\/b> after/i);
    expect(text).toSay('accepted-since-existing-images', 'docker-tls harden ', '--only');
    expect(text).toMatch(/net\.ipv4\.ip_forward=0/);
    expect(text).not.toContain('failed</span>');
    expect(page('rolled back')).toContain('failed</span> rolled back');
  });

  it('runs nothing of what a host says', () => {
    expect(page()).not.toContain(evil);
    expect(page()).toContain("default-src 'none'");
  });
});
