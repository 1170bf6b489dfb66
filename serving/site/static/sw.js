// Lets the page open without a network, once it was visited: what the network gives comes first and is
// kept, what was kept stands in for it. The runtime has its version in its address.

const CACHE = "perennial";
const PATIENCE = 4000; // milliseconds, where something of the page was kept
const KEPT = /^\/(|manifest\.webmanifest|site\/[^/]+|device\/runtime\/[^/]+\/[^/]+|model\/card)$/;
const FIXED = /^\/device\/runtime\//;

self.addEventListener("install", event => event.waitUntil((async () => {
  const cache = await caches.open(CACHE);
  const reply = await fetch("/device/shell", {cache: "no-store"});
  await cache.addAll(await reply.json());
  await self.skipWaiting();
})()));

self.addEventListener("activate", event => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", event => {
  const {pathname, origin} = new URL(event.request.url);
  if (event.request.method !== "GET" || origin !== location.origin || !KEPT.test(pathname)) return;
  event.respondWith(FIXED.test(pathname) ? fixed(event.request) : fresh(event.request));
});

const known = async request => (await caches.open(CACHE)).match(request, {ignoreVary: true});

async function keep(request, reply) {
  if (reply.ok) (await caches.open(CACHE)).put(new URL(request.url).pathname, reply.clone());
  return reply;
}

async function fixed(request) {
  return await known(request) ?? keep(request, await fetch(request));
}

async function fresh(request) {
  const old = await known(request);
  try {
    const signal = old ? AbortSignal.timeout(PATIENCE) : undefined;
    return await keep(request, await fetch(request, {signal}));
  } catch (error) {
    if (old) return old;
    throw error;
  }
}
