// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <csignal>

// Keeps all signals from this thread, and from threads that it starts, for as long as this object lives.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &kept_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &kept_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t kept_;
};
