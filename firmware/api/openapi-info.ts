/** What the OpenAPI document says of the whole API. */
export const OPENAPI_INFO = {
  info: {
    title: 'Culvert control API',
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    description: `What the router can be asked and told. The command line, the console and the web UI use nothing else.

**Where.** HTTP on the Unix socket \`control.sock\` in the state directory; the host in the address is not looked at.

**Security.** The socket has the mode 0600: whoever can open it is a local administrator, may do everything that is written
here, and is asked for nothing further. \`who\` and \`via\` are what the history says, and no proof of anything. No answer has
a secret of the configuration in it but \`makeBackup\`, which has them under a passphrase; \`getIpsecKeys\` has keys of
traffic, and \`startCapture\` the traffic.

**Errors.** Every refusal is problem details (RFC 7807): \`detail\` says what happened and why, \`remedy\` what to do about
it. A configuration that is refused has each of its errors in \`problems\`, with the path where it stands.

**Two who work at the same time.** The draft has an entity tag. Who changes or commits it says with \`If-Match\` which one he
has seen, and is refused with 412 when it is another one by now. Without \`If-Match\` whatever is there is changed.

**Versions.** Members may be added to answers: a client leaves alone what it does not know.`,
  },
  servers: [{ url: 'http://localhost', description: 'The Unix socket `control.sock` of the state directory.' }],
  // Nothing further than that the socket can be opened.
  security: [{}],
};
