// What this device keeps: releases, what waits to be handed over, and how things stand.

const STORES = {releases: {}, queue: {autoIncrement: true}, state: {}};

const done = request => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

export class Store {
  static async open(name) {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => Object.entries(STORES).forEach(([one, options]) => request.result.createObjectStore(one, options));
    const store = new Store();
    store.database = await done(request);
    return store;
  }

  // `work` gets the stores by name; returns when all of it is durable, or none of it is.
  async write(work) {
    const transaction = this.database.transaction(Object.keys(STORES), "readwrite", {durability: "strict"});
    const ended = new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error);
    });
    work(Object.fromEntries(Object.keys(STORES).map(name => [name, transaction.objectStore(name)])));
    await ended;
  }

  get(store, key) {
    return done(this.database.transaction(store).objectStore(store).get(key));
  }

  keep(key, value) {
    return this.write(({state}) => state.put(value, key));
  }

  queue(records) {
    return this.write(({queue}) => records.forEach(one => queue.add(one)));
  }

  waiting() {
    return done(this.database.transaction("queue").objectStore("queue").count());
  }

  // The oldest of what waits, each with its number.
  async oldest(most) {
    const store = this.database.transaction("queue").objectStore("queue");
    const [numbers, records] = await Promise.all([done(store.getAllKeys(null, most)), done(store.getAll(null, most))]);
    return records.map((one, i) => ({n: numbers[i], ...one}));
  }
}
