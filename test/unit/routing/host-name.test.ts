// The host of a request, normalised: what Hipache got wrong is right here, and what is no host is refused.
import { describe, expect, it } from 'vitest';
import { normaliseHost } from '../../../src/routing/host-name.js';

const longLabel = 'a'.repeat(300);

describe('a Host header that is served', () => {
  it.each([
    ['an empty one is a host of its own', '', '', ''],
    ['a bare name', 'simple', 'simple', ''],
    ['a name with a port', 'simple:99', 'simple', '99'],
    ['upper case without a port', 'SIMPLE', 'simple', ''],
    ['upper case with a port', 'SIMPLE:80', 'simple', '80'],
    ['a trailing dot', 'mixed.case.', 'mixed.case', ''],
    ['a trailing dot before a port', 'Mixed.Case.:8080', 'mixed.case', '8080'],
    ['an IPv6 address with a port', '[::1]:80', '[::1]', '80'],
    ['an IPv6 address without a port', '[2001:DB8::1]', '[2001:db8::1]', ''],
    ['an IPv4 address', '127.0.0.1:8080', '127.0.0.1', '8080'],
    ['an empty port', 'simple:', 'simple', ''],
    ['leading zeros of a port', 'simple:0080', 'simple', '80'],
    ['the name of the health check', '__ping__', '__ping__', ''],
    ['the name of the health check with a port', '__ping__:80', '__ping__', '80'],
    ['underscores, hyphens and digits', 'my_app-2.example.com', 'my_app-2.example.com', ''],
    ['a percent-encoded letter', 'caf%C3%A9.example', 'caf%c3%a9.example', ''],
  ])('%s', (_what, authority, host, port) => {
    expect(normaliseHost(authority)).toEqual({ host, port });
  });
});

describe('a Host header that is refused', () => {
  it.each([
    ['a port without a host', ':80'],
    ['two trailing dots', 'example.com..'],
    ['a dot alone', '.'],
    ['a leading dot', '.example.com'],
    ['an empty label', 'a..b'],
    ['a space', 'exa mple.com'],
    ['a path, which would reach the routes of path prefixes', 'example.com/api'],
    ['user information', 'user@example.com'],
    ['a wildcard, which would name a frontend rather than a host', '*.example.com'],
    ['the catch-all by its name', '*'],
    ['the separator of the dead channel', 'a;b'],
    ['two hosts', 'a.com,b.com'],
    ['an IPv6 address without brackets', '::1'],
    ['an unclosed bracket', '[::1'],
    ['a bracket around a name', '[example.com]'],
    ['text after the bracket', '[::1]x'],
    ['an IPv6 zone', '[fe80::1%25eth0]'],
    ['a port of letters', 'a:b'],
    ['a port of 0', 'a:0'],
    ['a port above 65535', 'a:65536'],
    ['a negative port', 'a:-1'],
    ['two ports', 'a:1:2'],
    ['a control character', 'a\u0000b'],
    ['a line break', 'a\r\nb'],
    ['letters outside ASCII', 'caf\u00e9.example'],
    ['a letter that becomes ASCII in lower case', '\u212Aelvin.example'],
    ['a broken percent encoding', 'a%4'],
    ['a very long name', longLabel],
  ])('%s', (_what, authority) => {
    expect(normaliseHost(authority)).toBeNull();
  });
});
