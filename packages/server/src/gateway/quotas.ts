/** What one address and one user may have of the gateway at once, over all their connections. */
export type Allowance = {
  connections: number
  topics: number
  /** A minute, all at once if they like. */
  messages: number
  requests: number
}
export type Allowances = { perAddress: Allowance; perUser: Allowance }

export const ALLOWANCES: Allowances = {
  // Half of what the gateway takes: no one address may have it all.
  perAddress: { connections: 10_000, topics: 500_000, messages: 120_000, requests: 12_000 },
  perUser: { connections: 1_000, topics: 100_000, messages: 60_000, requests: 6_000 }
}

const SWEEP = 10_000

/** Returns the seconds until the next, or 0 and takes one. */
function createMinute(perMinute: number, now: number) {
  let left = perMinute
  let at = now
  const fill = (now: number) => {
    left = Math.min(perMinute, left + (Math.max(0, now - at) / 60_000) * perMinute)
    at = now
  }
  return {
    take(now: number): number {
      if (perMinute === Infinity) return 0
      fill(now)
      if (left < 1) return Math.max(1, Math.ceil(((1 - left) / perMinute) * 60))
      left--
      return 0
    },
    isFull(now: number): boolean {
      if (perMinute === Infinity) return true
      fill(now)
      return left >= perMinute
    }
  }
}

function createParty({ connections, topics, messages, requests }: Allowance, now: number) {
  const rates = { messages: createMinute(messages, now), requests: createMinute(requests, now) }
  return {
    connections: 0,
    topics: 0,
    rates,
    hasRoom: (held: { connections: number; topics: number }, party: { connections: number; topics: number }) =>
      party.connections + held.connections <= connections && party.topics + held.topics <= topics,
    isIdle: (now: number) => rates.messages.isFull(now) && rates.requests.isFull(now)
  }
}
type Party = ReturnType<typeof createParty>

/** What one connection takes of its address's allowance, and of its user's once it is known. */
export type Place = ReturnType<ReturnType<typeof createQuotas>['connect']>
export type Quotas = ReturnType<typeof createQuotas>

export function createQuotas({ perAddress, perUser }: Allowances, clock: () => number) {
  const parties = new Map<string, Party>()
  let swept = clock()

  const partyOf = (name: string, allowance: Allowance): Party => {
    let party = parties.get(name)
    if (!party) parties.set(name, (party = createParty(allowance, clock())))
    return party
  }
  const ofAddress = (address: string): Party => partyOf(`address:${address}`, perAddress)
  const ofUser = (user: string): Party => partyOf(`user:${user}`, perUser)
  const move = (party: Party, connections: number, topics: number) => {
    party.connections += connections
    party.topics += topics
  }
  const ONE = { connections: 1, topics: 0 }

  return {
    /** Whether one connection more may come. */
    hasRoom(address: string, user: string | undefined): boolean {
      const all = [ofAddress(address), ...(user === undefined ? [] : [ofUser(user)])]
      return all.every((party) => party.hasRoom(ONE, party))
    },

    connect(address: string, user: string | undefined) {
      const holds = { connections: 1, topics: 0 }
      const here: Party[] = [ofAddress(address), ...(user === undefined ? [] : [ofUser(user)])]
      for (const party of here) move(party, 1, 0)
      let gone = false
      return {
        address,
        /** The connection says whose it is; false where he has too much already, or it went while he was looked for. */
        sign(user: string): boolean {
          if (gone) return false
          const party = ofUser(user)
          if (here.includes(party)) return true
          if (!party.hasRoom(holds, party)) return false
          const before = here[1]
          if (before) move(before, -1, -holds.topics)
          here[1] = party
          move(party, 1, holds.topics)
          return true
        },
        /** One topic more; false where there is no room for it. */
        take(): boolean {
          if (!here.every((party) => party.hasRoom({ connections: 0, topics: 1 }, party))) return false
          holds.topics++
          for (const party of here) party.topics++
          return true
        },
        give(): void {
          holds.topics--
          for (const party of here) party.topics--
        },
        isInTime: (now: number): boolean => here.every((party) => party.rates.messages.take(now) === 0),
        leave(): void {
          if (gone) return
          gone = true
          for (const party of here) move(party, -1, 0)
        }
      }
    },

    /** Seconds until the next request may come; 0: this one is taken. */
    request(of: { address: string } | { user: string }): number {
      return ('address' in of ? ofAddress(of.address) : ofUser(of.user)).rates.requests.take(clock())
    },

    /** Forgets those that have nothing and are owed nothing. */
    beat(now: number): void {
      if (now - swept < SWEEP) return
      swept = now
      for (const [name, party] of parties)
        if (party.connections === 0 && party.topics === 0 && party.isIdle(now)) parties.delete(name)
    }
  }
}
